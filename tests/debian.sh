#!/usr/bin/env bash
# Run a command in a fresh copy of this repository in a bare Debian, as root: debian.sh SUITE ROOT COMMAND...
#   tests/debian.sh bookworm /var/tmp/bookworm make run CONFIG=config/test/tiny.yaml
#   PACKAGES=minicondor tests/debian.sh trixie /var/tmp/trixie make test-htcondor
# ROOT is made by debootstrap with what the README asks for and PACKAGES, and is used again when it is there. /oddjet in it
# is the copy: the files that git knows or would take, as they are here; .venv, results and .snakemake stay from one call to the next.
# Mounts and processes are of a namespace of their own and end with the command.
set -euo pipefail
suite=$1
mkdir -p "$2"
root=$(realpath "$2")
shift 2
here=$(realpath "$(dirname "$0")/..")
packages=python3,python3-venv,make,git,ca-certificates
if ! test -e "$root/usr/bin/git"; then
    debootstrap --variant=minbase --include=$packages "$suite" "$root" "${MIRROR:-http://deb.debian.org/debian}"
fi
# What reaches package servers from here: names, certificates, settings of pip. Nothing of it is part of the repository.
cp /etc/resolv.conf "$root/etc/resolv.conf"
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
if test -e /etc/pip.conf; then cp /etc/pip.conf "$root/etc/pip.conf"; fi
mkdir -p "$root/oddjet"
find "$root/oddjet" -mindepth 1 -maxdepth 1 ! -name .venv ! -name results ! -name .snakemake -exec rm -rf {} +
if test -d "$here/.git"; then cp -r "$here/.git" "$root/oddjet/.git"; fi
git -C "$here" ls-files -z --cached --others --exclude-standard | tar --create --ignore-failed-read --directory "$here" --null --files-from=- | tar --extract --no-same-owner --directory "$root/oddjet"
export root PACKAGES=${PACKAGES:-}
# shellcheck disable=SC2016 # the variables are those of the inner shell
exec unshare --mount --pid --fork --kill-child --propagation private bash -euc '
    mount --bind "$root" "$root" # so that / is a mount in it, which buildah needs
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    export DEBIAN_FRONTEND=noninteractive PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
    if test -n "$PACKAGES"; then
        chroot "$root" sh -c "dpkg -s $PACKAGES > /dev/null 2>&1 || { apt-get -qq update && apt-get -qq install --yes --no-install-recommends $PACKAGES; }"
    fi
    exec env -i HOME=/root LANG=C.UTF-8 TERM=dumb PATH="$PATH" SHELL=/bin/bash ${OMP_NUM_THREADS:+OMP_NUM_THREADS=$OMP_NUM_THREADS} \
        chroot "$root" sh -c "cd /oddjet && exec \"\$@\"" sh "$@"
' bash "$@"
