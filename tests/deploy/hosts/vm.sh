#!/bin/bash
# Test hosts with a kernel of their own: virtual machines in the network of test-host.sh, of the same base.
# shellcheck disable=SC2015,SC2016
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
HERE=$(cd "$(dirname "$0")" && pwd)
usage() { cat <<'U'
usage: vm.sh WORKDIR VERB [ARGS]     (as root; `test-host.sh WORKDIR ssh|run|inventory|destroy|down` are for these hosts too)
  image                 a disk of test-host.sh's base, a kernel and AppArmor (about a minute, 900 MB)
  up NAME LASTBYTE      a host 10.77.0.LASTBYTE with a disk of its own, booted; again: booted with its disk as it was
  release               make release of this commit where the base's suite is at home; prints the archive
  stop NAME             orderly power-off
  crash NAME            kill -9 of the machine: a pulled plug
Environment: as test-host.sh; ROWGATE_VM_MEMORY (1024 MiB), ROWGATE_VM_CPUS (2), ROWGATE_VM_ACCEL (kvm where the processor
shows it, else tcg, which is about ten times slower), ROWGATE_VM_PACKAGES (into the image, where tcg would take too long).
U
exit 2; }
[ $# -ge 2 ] || usage
TOP=$(absdir "$1"); W=$TOP/test-host; V=$2; shift 2
ID=$(printf %s "$W" | cksum | cut -d' ' -f1); NS=rg$((ID % 100000))-hub
SUITE=${ROWGATE_SUITE:-bookworm}; IMAGE=$W/vm-$SUITE
hosts() { "$HERE/test-host.sh" "$TOP" "$@"; }

inside() { # inside ROOT COMMAND: with the machine's own network
	unshare -m sh -c 'mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && exec chroot "$0" sh -ec "$1"' "$1" "$2" >>"$W/vm.log" 2>&1 </dev/null ||
		{ tail -5 "$W/vm.log" >&2; die "failed in $1"; }
}
install() { # install ROOT PACKAGE...: the base's apt leaves through a proxy that is not there yet; nothing is started
	mv "$1/etc/apt/apt.conf.d/99test-host" "$1/99test-host"
	cp /etc/resolv.conf "$1/etc/resolv.conf"
	printf '#!/bin/sh\nexit 101\n' >"$1/usr/sbin/policy-rc.d"; chmod 755 "$1/usr/sbin/policy-rc.d"
	inside "$1" "apt-get -qq update; DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends -o Dpkg::Use-Pty=0 ${*:2}; apt-get clean"
	mv "$1/99test-host" "$1/etc/apt/apt.conf.d/99test-host"
	: >"$1/etc/resolv.conf"; rm -f "$1/usr/sbin/policy-rc.d"
	touch -d @0 "$1/var/lib/apt/lists"
}

case $V in
image)
	[ -f "$IMAGE/disk" ] && exit 0
	need qemu-system-x86_64 qemu-system-x86 qemu-img qemu-utils mke2fs e2fsprogs
	hosts base
	rm -rf "$IMAGE" "$IMAGE.new"; mkdir "$IMAGE.new"
	cp -a "$W/base-$SUITE" "$IMAGE.new/root"
	kernel=linux-image-cloud-amd64
	! grep -q '^ID=ubuntu' "$IMAGE.new/root/etc/os-release" || kernel=linux-image-virtual
	install "$IMAGE.new/root" $kernel initramfs-tools udev kmod apparmor "${ROWGATE_VM_PACKAGES:-}"
	inside "$IMAGE.new/root" 'systemctl -q enable systemd-networkd'
	echo '/dev/vda / ext4 errors=remount-ro 0 1' >"$IMAGE.new/root/etc/fstab"
	cp -L "$IMAGE.new"/root/boot/vmlinuz-* "$IMAGE.new/kernel"
	cp -L "$IMAGE.new"/root/boot/initrd.img-* "$IMAGE.new/initrd"
	mke2fs -q -F -t ext4 -d "$IMAGE.new/root" "$IMAGE.new/disk" "${ROWGATE_VM_DISK:-8G}"
	rm -rf "$IMAGE.new/root"
	mv "$IMAGE.new" "$IMAGE";;
up)
	N=$1; H=$W/hosts/$N
	[ -f "$H/addr" ] || [ $# = 2 ] || usage
	"$0" "$TOP" image
	hosts net
	if [ ! -f "$H/addr" ]; then
		mkdir -p "$H"
		qemu-img create -q -f qcow2 -F raw -b "$IMAGE/disk" "$H/disk"
		echo "$SUITE" >"$H/suite"; echo "10.77.0.$2" >"$H/addr"
	fi
	alive "$H/pid" && die "$N runs already"
	A=$(cat "$H/addr"); IMAGE=$W/vm-$(cat "$H/suite")
	accel=${ROWGATE_VM_ACCEL:-$(grep -qE '^flags.* (vmx|svm)( |$)' /proc/cpuinfo && echo kvm || echo tcg,thread=multi)}
	hosts run ip link del "t-$N" 2>/dev/null || true
	hosts run ip tuntap add dev "t-$N" mode tap
	hosts run ip link set "t-$N" master br0 up
	# networkd takes address and name from the kernel's command line.
	spawn "$H/pid" "$H/log" ip netns exec "$NS" qemu-system-x86_64 -accel "$accel" -cpu max -smp "${ROWGATE_VM_CPUS:-2}" \
		-m "${ROWGATE_VM_MEMORY:-1024}" -display none -monitor none -serial "file:$H/console" -no-reboot \
		-kernel "$IMAGE/kernel" -initrd "$IMAGE/initrd" \
		-append "root=/dev/vda rw console=ttyS0 net.ifnames=0 systemd.hostname=$N ip=$A::10.77.0.1:255.255.255.0:$N:eth0:none" \
		-drive "file=$H/disk,if=virtio,format=qcow2" -device virtio-rng-pci -netdev "tap,id=n,ifname=t-$N,script=no,downscript=no" \
		-device "virtio-net-pci,netdev=n,mac=02:00:0a:4d:00:$(printf %02x "${A##*.}")"
	wait_for 300 "$HERE/test-host.sh" "$TOP" ssh "$N" 'systemctl is-system-running --wait >/dev/null; true' || {
		tail -5 "$H/log" "$H/console" >&2; die "$N did not come up"; }
	echo "$N up at $A, $(hosts state "$N" | head -1)";;
release)
	hosts base; need git git
	B=$W/build-$SUITE; O=$W/release-$SUITE
	if [ ! -d "$B" ]; then
		rm -rf "$B.new"; cp -a "$W/base-$SUITE" "$B.new"
		install "$B.new" make gcc libc6-dev git binutils pkg-config libfcgi-dev libcrypt-dev libjson-c-dev libjwt-dev libmariadb-dev \
			libssl-dev zlib1g-dev libcurl4-openssl-dev
		mv "$B.new" "$B"
	fi
	rm -rf "$B/rowgate"; git clone -q "$HERE/../../.." "$B/rowgate"; chown -R 0:0 "$B/rowgate"
	# The pages are the same wherever they are built.
	make -s -C "$HERE/../../.." pages; mkdir -p "$B/rowgate/build"; cp -r "$HERE/../../../build/pages" "$B/rowgate/build/"
	inside "$B" 'cd /rowgate && make release'
	mkdir -p "$O"; cp -a "$B"/rowgate/build/release/*.tar.gz* "$O/"
	echo "$O/rowgate.tar.gz";;
stop)
	hosts ssh "$1" 'sudo systemctl poweroff' || true
	wait_for 120 eval "! alive '$W/hosts/$1/pid'" || die "$1 does not power off"
	rm -f "$W/hosts/$1/pid";;
crash)
	stop_pid "$W/hosts/$1/pid" KILL;;
*) usage;;
esac
