#!/usr/bin/env bash
# Backs up and restores a release with its bundled stores; with external stores use what they bring, in the same order.
#   tools/backup.sh save NAMESPACE RELEASE FOLDER
#   tools/backup.sh restore NAMESPACE RELEASE FOLDER
# The databases are saved first and the store after them: the store only grows, and garbage is kept for days, so every
# file that the saved databases speak of is in the saved store. A restore stops the services while it works.
set -euo pipefail

verb=${1:-} namespace=${2:-} release=${3:-} folder=${4:-}
[ -n "$folder" ] || { sed -n '2,6s/^# //p' "$0" >&2; exit 2; }

databases=(orchestrator registry inference)
of_release() { kubectl --namespace "$namespace" "$@"; }
in_pod() { of_release exec --stdin "$release-$1-0" -- "${@:2}"; }
sql() { in_pod postgres psql --quiet --host /tmp --username postgres --set ON_ERROR_STOP=1 "$@"; }
services=("deployment/$release-registry" "deployment/$release-orchestrator" "deployment/$release-inference"
    "statefulset/$release-triton")

save() {
    mkdir -p -m 700 "$folder"
    for database in "${databases[@]}"; do
        in_pod postgres pg_dump --host /tmp --username postgres --format custom "$database" >"$folder/$database.dump"
    done
    # What lies in /data and not /data itself, the volume's own folder, which nobody in the pod may change.
    in_pod store sh -c "find /data -mindepth 1 -maxdepth 1 -printf '%P\\0'" \
        | in_pod store tar --create --xattrs --directory /data --null --files-from - >"$folder/store.tar"
    (cd "$folder" && sha256sum ./*.dump store.tar >SHA256SUMS)
    du -sh "$folder"
}

restore() {
    trap 'echo "the restore stopped at line $LINENO and services may be at 0 replicas: mend the cause, then restore again" >&2' ERR
    (cd "$folder" && sha256sum --check --quiet SHA256SUMS)
    for service in "${services[@]}"; do note_replicas "$service"; done
    of_release scale "${services[@]}" --replicas 0
    of_release wait --for=delete pod --timeout 180s \
        --selector "app.kubernetes.io/instance=$release,app.kubernetes.io/component in (registry,orchestrator,inference)"
    for database in "${databases[@]}"; do
        sql --dbname postgres --command "DROP DATABASE IF EXISTS $database WITH (FORCE)"
        sql --dbname postgres --command "CREATE DATABASE $database OWNER $database"
        sql --dbname postgres --command "REVOKE ALL ON DATABASE $database FROM PUBLIC"
        in_pod postgres pg_restore --host /tmp --username postgres --exit-on-error --dbname "$database" <"$folder/$database.dump"
    done
    in_pod store tar --extract --xattrs --directory /data <"$folder/store.tar"
    for service in "${services[@]}"; do of_release scale "$service" --replicas "$(noted_replicas "$service")"; done
}

# A restore that stopped midway leaves a service at 0: what it had before is kept with it.
note_replicas() {
    local found
    found=$(of_release get "$1" --output 'jsonpath={.spec.replicas}')
    [ "$found" = 0 ] || of_release annotate --overwrite "$1" "mgrd/replicas=$found"
}
noted_replicas() { of_release get "$1" --output "jsonpath={.metadata.annotations['mgrd/replicas']}"; }

case $verb in
    save | restore) "$verb" ;;
    *) sed -n '2,6s/^# //p' "$0" >&2; exit 2 ;;
esac
