# One image for web, worker, beat and migrate: the same files, another command (compose.yaml).
# The base image is pinned by digest, our dependencies by hash; Debian's packages are those of the day
# of the build. Dependabot does not follow an ARG: a newer base image goes in here by hand.
ARG BASE=debian:trixie-20260918-slim@sha256:a99cfc517144bc59b1978475ec53b46ecabec7e43635402ee5b77cc54cd1b20a

FROM ${BASE} AS build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*
ENV UV_CACHE_DIR=/cache UV_LINK_MODE=copy UV_SYSTEM_CERTS=true PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /source
# What others wrote changes seldom: layers of their own, before our code.
COPY requirements/bootstrap.txt requirements/app.txt requirements/
RUN python3 -m venv /tools && /tools/bin/pip install --require-hashes -r requirements/bootstrap.txt
RUN --mount=type=cache,target=/cache \
    python3 -m venv --without-pip /opt/jobboard \
    && /tools/bin/uv pip install --python /opt/jobboard/bin/python --compile-bytecode \
        --require-hashes -r requirements/app.txt
COPY pyproject.toml README.md LICENSE ./
COPY docs docs
COPY migrations migrations
COPY src src
RUN /tools/bin/python -m hatchling build -t wheel -d /wheel \
    && /tools/bin/uv pip install --python /opt/jobboard/bin/python --compile-bytecode --no-deps \
        /wheel/*.whl

FROM ${BASE}
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates python3 \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/* /var/log/* \
    && groupadd --gid 10001 jobboard \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent \
        --shell /usr/sbin/nologin jobboard \
    && install -d -o jobboard -g jobboard /var/lib/jobboard/files
COPY --from=build /opt/jobboard /opt/jobboard
COPY deploy/gunicorn.conf.py /opt/jobboard/etc/
COPY --chmod=755 deploy/health deploy/secrets /opt/jobboard/libexec/
# Nothing is written but to /tmp, /dev/shm and the volume of files.
ENV PATH=/opt/jobboard/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONSAFEPATH=1 \
    PYTHONUNBUFFERED=1 \
    JOBBOARD_STORAGE_URL=file:///var/lib/jobboard/files
VOLUME /var/lib/jobboard/files
USER 10001:10001
WORKDIR /tmp
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["/opt/jobboard/libexec/health", "web"]
CMD ["gunicorn", "--config", "/opt/jobboard/etc/gunicorn.conf.py"]
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Jobboard" \
      org.opencontainers.image.description="A self-hosted job board" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
