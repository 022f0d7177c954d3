#!/bin/sh
# Writes the configuration from ZOO_* variables where none is mounted, gives the volumes to the user zookeeper and
# becomes the command as that user. Variables and defaults: those of the official image.
set -eu

conf=${ZOO_CONF_DIR:-/conf}
data=${ZOO_DATA_DIR:-/data}
datalog=${ZOO_DATA_LOG_DIR:-/datalog}
logs=${ZOO_LOG_DIR:-/logs}

if [ "${1:-}" = zkServer.sh ] && [ "$(id -u)" = 0 ]; then
  chown -R zookeeper:zookeeper "$conf" "$data" "$datalog" "$logs"
  if command -v setpriv >/dev/null; then
    exec setpriv --reuid=zookeeper --regid=zookeeper --init-groups "$0" "$@"
  elif command -v gosu >/dev/null; then
    exec gosu zookeeper "$0" "$@"
  else
    exec su-exec zookeeper "$0" "$@"
  fi
fi

# 3.4 knows neither `server.1=host:2888:3888;2181` nor a client port that is set per server.
is34() {
  ls /opt/zookeeper/lib/zookeeper-3.4.*.jar >/dev/null 2>&1
}

if [ ! -f "$conf/zoo.cfg" ]; then
  {
    echo "dataDir=$data"
    echo "dataLogDir=$datalog"
    echo "tickTime=${ZOO_TICK_TIME:-2000}"
    echo "initLimit=${ZOO_INIT_LIMIT:-5}"
    echo "syncLimit=${ZOO_SYNC_LIMIT:-2}"
    echo "autopurge.snapRetainCount=${ZOO_AUTOPURGE_SNAPRETAINCOUNT:-3}"
    echo "autopurge.purgeInterval=${ZOO_AUTOPURGE_PURGEINTERVAL:-0}"
    echo "maxClientCnxns=${ZOO_MAX_CLIENT_CNXNS:-60}"
    echo "standaloneEnabled=${ZOO_STANDALONE_ENABLED:-true}"
    echo "admin.enableServer=${ZOO_ADMINSERVER_ENABLED:-true}"
    if is34; then echo "clientPort=2181"; fi
    for server in ${ZOO_SERVERS:-server.1=localhost:2888:3888;2181}; do
      if is34; then
        # One server alone is no ensemble.
        [ -z "${ZOO_SERVERS:-}" ] || echo "${server%%;*}"
      else
        echo "$server"
      fi
    done
    if [ -n "${ZOO_4LW_COMMANDS_WHITELIST:-}" ]; then
      echo "4lw.commands.whitelist=$ZOO_4LW_COMMANDS_WHITELIST"
    fi
    for extra in ${ZOO_CFG_EXTRA:-}; do echo "$extra"; done
  } >"$conf/zoo.cfg"
fi

if [ ! -f "$data/myid" ]; then
  echo "${ZOO_MY_ID:-1}" >"$data/myid"
fi

exec "$@"
