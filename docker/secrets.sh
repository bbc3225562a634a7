#!/bin/sh
# Prints random secrets for docker/.env. Run once:  docker/secrets.sh > docker/.env && chmod 600 docker/.env
set -eu

random() {
  od -An -v -tx1 -N32 /dev/urandom | tr -d ' \n'
}

for name in DOCKET_CAPABILITY_SECRET NATS_SERVER_PASSWORD NATS_SCRIPTS_1_PASSWORD NATS_JVM_1_PASSWORD \
  NATS_COMPILED_1_PASSWORD NATS_ROUTE_PASSWORD; do
  # A letter first: nats.conf would read a value that starts with a digit as a number.
  echo "$name=k$(random)"
done
