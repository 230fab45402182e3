#!/bin/sh
# deploy/compose/init.sh [HOST-NAME]: draws the passwords, makes a certificate and a file of users without any, and writes the
# host name into deploy/.env. What is there already stays, so it can be run again, and files of your own can be put there
# before. Needs openssl.
#
# Compose mounts files as they are, whoever the container runs as: so they are readable for all, in a folder that only its
# owner may enter.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
env=$here/../.env
secrets=$here/secrets

wrong() {
  echo "init.sh: $2" >&2
  exit "$1"
}

command -v openssl >/dev/null || wrong 69 'openssl is not installed'
known=
[ ! -f "$env" ] || known=$(sed -n 's/^POSTHOUSE_HOSTNAME=//p' "$env" | tail -n 1)
name=${1:-$known}
case $name in
'') wrong 64 'usage: init.sh HOST-NAME, the name under which this machine sends and takes mail, such as mail.example.org' ;;
*[!A-Za-z0-9.-]* | [.-]* | *[.-] | *..*) wrong 64 "$name: not a host name" ;;
esac
if [ -z "$known" ]; then
  echo "POSTHOUSE_HOSTNAME=$name" >>"$env"
elif [ "$known" != "$name" ]; then
  wrong 64 "deploy/.env says POSTHOUSE_HOSTNAME=$known: change it there, and remove secrets/tls if its certificate is to change too"
fi

mkdir -p "$secrets"
chmod 700 "$secrets"
umask 022
mkdir -p "$secrets/tls" "$secrets/users"

# A file is there whole or not at all.
put() {
  cat >"$1.new"
  mv "$1.new" "$1"
}

for of in nats-edge nats-delivery nats-admin nats-cli nats-route grafana-admin; do
  [ -s "$secrets/$of-password" ] || openssl rand -hex 24 | put "$secrets/$of-password"
done
password() {
  cat "$secrets/$1-password"
}

put "$secrets/nats-passwords.conf" <<CONF
# Made by init.sh from the files *-password beside it.
EDGE_PASSWORD: "$(password nats-edge)"
DELIVERY_PASSWORD: "$(password nats-delivery)"
ADMIN_PASSWORD: "$(password nats-admin)"
CLI_PASSWORD: "$(password nats-cli)"
CONF

route=nats://route:$(password nats-route)
put "$secrets/nats-routes.conf" <<CONF
# Made by init.sh from the files *-password beside it.
authorization { user: "route", password: "$(password nats-route)" }
routes: ["$route@nats-1:6222", "$route@nats-2:6222", "$route@nats-3:6222"]
CONF

[ -e "$secrets/users/users.yaml" ] || echo 'users: []' | put "$secrets/users/users.yaml"

if [ ! -e "$secrets/tls/tls.crt" ] && [ ! -e "$secrets/tls/tls.key" ]; then
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 825 -subj "/CN=$name" \
    -addext "subjectAltName=DNS:$name" -keyout "$secrets/tls/new.key" -out "$secrets/tls/new.crt" 2>/dev/null ||
    wrong 1 'openssl could not make a certificate'
  chmod 644 "$secrets/tls/new.key"
  mv "$secrets/tls/new.key" "$secrets/tls/tls.key"
  mv "$secrets/tls/new.crt" "$secrets/tls/tls.crt"
  echo "secrets/tls: a certificate for $name that nobody else has signed; put tls.crt and tls.key of your own there"
fi
[ -e "$secrets/tls/tls.crt" ] && [ -e "$secrets/tls/tls.key" ] || wrong 1 'secrets/tls must hold both tls.crt and tls.key'
echo "secrets: ready for $name"
