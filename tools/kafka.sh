#!/usr/bin/env bash
# A real, single-node Kafka broker without Docker, from its Maven artifacts (Java 17).
#   tools/kafka.sh fetch             jars into the cache, once
#   tools/kafka.sh start DIR PORT [FILE]  formats DIR and starts a broker on 127.0.0.1:PORT, with FILE's settings on top
#                                    of ours; prints its pid
#   tools/kafka.sh stop DIR          stops the broker of DIR and waits for its end
set -euo pipefail

version=4.1.0
cache="${MGRD_KAFKA_CACHE:-$HOME/.cache/mgrd/kafka}"
libs="$cache/libs-$version"

need() {
    command -v "$1" >/dev/null || { echo "kafka.sh: $1 is missing; apt-get install $2" >&2; exit 3; }
}

fetch() {
    [ -e "$libs/.complete" ] && return
    need java openjdk-17-jre-headless
    need mvn maven
    mkdir -p "$libs"
    cat >"$cache/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>mgrd</groupId><artifactId>kafka-broker</artifactId><version>1</version>
  <dependencies><dependency>
    <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>$version</version>
  </dependency></dependencies>
</project>
POM
    mvn -q -B -f "$cache/pom.xml" -Dmaven.repo.local="$cache/repository" dependency:copy-dependencies \
        -DincludeScope=runtime -DoutputDirectory="$libs" >&2
    touch "$libs/.complete"
}

settings() {
    local dir=$1 port=$2 controller=$3
    cat <<PROPERTIES
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$controller
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller
advertised.listeners=PLAINTEXT://127.0.0.1:$port
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=$dir/data
num.partitions=4
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=2
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
PROPERTIES
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

start() {
    local dir=$1 port=$2 more=${3:-/dev/null}
    fetch
    mkdir -p "$dir"
    if [ ! -e "$dir/server.properties" ]; then
        { settings "$dir" "$port" "$(free_port)"; cat "$more"; } >"$dir/server.properties"
        local id
        id=$(java -cp "$libs/*" kafka.tools.StorageTool random-uuid 2>/dev/null)
        java -cp "$libs/*" kafka.tools.StorageTool format -t "$id" -c "$dir/server.properties" >"$dir/format.log" 2>&1
    fi
    java -Xmx384m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$libs/*" kafka.Kafka "$dir/server.properties" \
        >"$dir/server.log" 2>&1 &
    echo $! | tee "$dir/pid"
}

stop() {
    local pid
    pid=$(cat "$1/pid" 2>/dev/null) || return 0
    kill "$pid" 2>/dev/null || return 0
    while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
    rm -f "$1/pid"
}

case "${1:-}" in
    fetch) fetch ;;
    start) start "$2" "$3" "${4:-}" ;;
    stop) stop "$2" ;;
    *) sed -n '2,6s/^# //p' "$0"; exit 2 ;;
esac
