#!/usr/bin/env bash
# Run once by the image of PostgreSQL, when its volume is empty: a role that row-level security holds for, its database, pgvector.
set -eu
password=$(cat "${AQUIFER_DATABASE_PASSWORD_FILE:-/run/secrets/database_password}")
psql --quiet --no-psqlrc --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres --set password="$password" <<'SQL'
CREATE ROLE aquifer LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD :'password';
CREATE DATABASE aquifer OWNER aquifer ENCODING 'UTF8' TEMPLATE template0;
\connect aquifer
CREATE EXTENSION vector;
SQL
