"""gunicorn's settings for the web process of a server: `gunicorn --config deploy/gunicorn.conf.py`.

BIND is where it listens, WEB_CONCURRENCY how many processes. In a container one process is enough:
more containers are more processes, each of which Prometheus can ask by itself. SIGHUP puts new
processes in the place of the old ones; no request is lost.
"""

import os

wsgi_app = "jobboard.asgi:create_app()"
worker_class = "jobboard.cli.draining.Worker"
bind = os.environ.get("BIND", "0.0.0.0:8000")
workers = int(os.environ.get("WEB_CONCURRENCY", "1"))
timeout = 60  # seconds without a sign of life, after which a process is killed
graceful_timeout = 25
keepalive = 75  # seconds; longer than nginx keeps a connection, so that nginx ends it
worker_tmp_dir = "/dev/shm"
control_socket_disable = True  # whoever supervises the container has its signals
loglevel = "warning"  # of gunicorn's own; requests are logged by the app
