#!/bin/sh
# Makes a fresh debootstrap folder ($1) a small base for images: no documentation, no translations, no package lists.
# Licences (copyright files) stay.
set -eu
root=$1
cat > "$root/etc/dpkg/dpkg.cfg.d/90-small" <<'CONF'
path-exclude=/usr/share/doc/*
path-include=/usr/share/doc/*/copyright
path-exclude=/usr/share/man/*
path-exclude=/usr/share/info/*
path-exclude=/usr/share/locale/*
path-exclude=/usr/share/lintian/*
CONF
cat > "$root/etc/apt/apt.conf.d/90-small" <<'CONF'
Acquire::Languages "none";
Acquire::Retries "3";
APT::Install-Recommends "false";
CONF
find "$root/usr/share/doc" -type f ! -name copyright -delete
find "$root/usr/share/doc" -type l -delete
find "$root/usr/share/doc" -mindepth 1 -type d -empty -delete
for folder in man info locale lintian; do
    if [ -d "$root/usr/share/$folder" ]; then find "$root/usr/share/$folder" -mindepth 1 -delete; fi
done
find "$root/var/lib/apt/lists" "$root/var/cache/apt" "$root/var/log" -type f -delete
# Services must not start while packages are configured in an image.
printf '#!/bin/sh\nexit 101\n' > "$root/usr/sbin/policy-rc.d"
chmod 0755 "$root/usr/sbin/policy-rc.d"
