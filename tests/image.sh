#!/usr/bin/env bash
# Build the image of Dockerfile where no registry is within reach, as root, and run it: image.sh FOLDER [OPTIONS OF SNAKEMAKE]
#   PACKAGES="buildah netavark debootstrap" tests/debian.sh trixie /var/tmp/trixie tests/image.sh /var/tmp/image --cores 2 --configfile config/test/tiny.yaml
# Needs buildah, its netavark and debootstrap, 20 GB in FOLDER, and no daemon. The Dockerfile is the one that is shipped; what stands in for
# its base is a Debian 12 by debootstrap with its Python as an environment in /usr/local, where pip may install.
# The options are tried in a copy of this repository, FOLDER/work, in which the results stay.
set -euo pipefail
here=$(realpath "$(dirname "$0")/..")
mkdir -p "$1"
folder=$(realpath "$1")
shift
base=$(sed -n 's/^FROM //p' "$here/Dockerfile")
export BUILDAH_ISOLATION=chroot
# buildah asks for a million of each, which not every root may have.
limits=(--ulimit "nofile=$(ulimit -Hn):$(ulimit -Hn)" --ulimit "nproc=$(ulimit -Hu):$(ulimit -Hu)")
boxes=(buildah --root "$folder/storage" --runroot "$folder/run")

if ! "${boxes[@]}" inspect --type image "localhost/$base" > /dev/null 2>&1; then
    root=$folder/base
    test -e "$root/usr/local/bin/pip" || {
        debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates bookworm "$root" "${MIRROR:-http://deb.debian.org/debian}"
        chroot "$root" python3 -m venv /usr/local
        # What reaches package servers from here: certificates, settings of pip.
        cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
        if test -e /etc/pip.conf; then cp /etc/pip.conf "$root/etc/pip.conf"; fi
    }
    stand_in=$("${boxes[@]}" from scratch)
    "${boxes[@]}" add --quiet "$stand_in" "$root" /
    "${boxes[@]}" commit --quiet --rm "$stand_in" "localhost/$base"
fi
"${boxes[@]}" build "${limits[@]}" --layers --pull=never --tag oddjet "$here"

mkdir -p "$folder/work"
git -C "$here" ls-files -z | tar --create --directory "$here" --null --files-from=- | tar --extract --no-same-owner --directory "$folder/work"
running=$("${boxes[@]}" from "${limits[@]}" --pull=never localhost/oddjet)
trap '"${boxes[@]}" rm "$running" > /dev/null' EXIT
entry=$("${boxes[@]}" inspect --format '{{index .OCIv1.Config.Entrypoint 0}}' "$running") # `buildah run` does not start it by itself
"${boxes[@]}" run --volume "$folder/work:/work" "$running" -- "$entry" "${@:---version}"
