-- On the first start of the server: the role of the board, which owns its database and is no
-- superuser. The image's script runs it as one.
\set password `cat /run/secrets/password`
CREATE ROLE jobboard LOGIN PASSWORD :'password';
CREATE DATABASE jobboard OWNER jobboard;
