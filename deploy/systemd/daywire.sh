#!/bin/sh
# Runs a command as the services do: as the user daywire, in the folder of the newsroom, with its secrets. Install as
# /usr/local/bin/daywire, and use it as root: "sudo daywire status". Relative paths start in /srv/daywire.
set -eu
cd /srv/daywire
umask 027
set -a
PATH=/opt/daywire/node_modules/.bin:/usr/local/bin:/usr/bin:/bin
HOME=/srv/daywire
. /etc/daywire/environment
set +a
exec setpriv --reuid=daywire --regid=daywire --init-groups --no-new-privs /opt/daywire/node_modules/.bin/daywire "$@"
