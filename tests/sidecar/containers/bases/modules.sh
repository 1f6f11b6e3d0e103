#!/bin/sh
# Debian's sources of Go modules as a proxy has them: of each its list, what it needs, and a zip.
set -eu
for module; do
    package=$(dpkg-query --search "*/gocode/src/$module/go.mod" | cut -d: -f1)
    version=v$(dpkg-query --show --showformat '${source:Upstream-Version}' "$package")
    place=/modules/$module/@v
    mkdir -p "$place" "/tmp/modules/$module@$version"
    cp -r "/usr/share/gocode/src/$module/." "/tmp/modules/$module@$version"
    (cd /tmp/modules && zip -qr "$place/$version.zip" "$module@$version")
    cp "/usr/share/gocode/src/$module/go.mod" "$place/$version.mod"
    echo "{\"Version\":\"$version\"}" > "$place/$version.info"
    echo "$version" > "$place/list"
done
rm -r /tmp/modules
