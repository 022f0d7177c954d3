# Slow links in user space, for kernels without netem: what this host sends to some addresses leaves it later.
#
#     perl slow-links.pl ADDRESS=MIN-MAX...    delays in ms; without addresses: tries whether it can work, and ends
#
# The packets that iptables has marked 0x7a are routed into a TUN device, held here, and sent on by a raw socket with
# the mark 0x7b, which iptables leaves alone. Delays are drawn for each packet; the packets of one address stay in
# order, as on a wire. Nothing outlives this process: with it goes the device, with that the route, and marked packets
# go their usual way again. On SIGTERM what is held is still sent, in time.
#
# Only what Debian's perl-base has: no Time::HiRes, hence the system call.
use strict;
use warnings;
use Config;
use Socket;

use constant { TUNSETIFF => 0x400454ca, IFF_TUN => 0x0001, IFF_NO_PI => 0x1000 };
use constant { SO_MARK => 36, IPPROTO_RAW => 255, CLOCK_MONOTONIC => 1 };
use constant { TABLE => 0x7a, MARK_IN => 0x7a, MARK_OUT => 0x7b, PACKETS_MAX => 100_000 };

my ($architecture) = $Config{archname} =~ /^([^-]+)/;
my $clock_gettime = { x86_64 => 228, aarch64 => 113, riscv64 => 113, ppc64le => 246, s390x => 260 }->{$architecture}
    // die "the number of clock_gettime on $architecture is not known here\n";

sub now {
    my $time = "\0" x 16;
    syscall($clock_gettime, CLOCK_MONOTONIC, $time) == 0 or die "clock_gettime: $!\n";
    my ($seconds, $nanoseconds) = unpack("q2", $time);
    return $seconds + $nanoseconds / 1e9;
}

sub run {
    system(@_) == 0 or die "'@_' failed\n";
}

my (%delay, %last);
for (@ARGV) {
    /^(\d+\.\d+\.\d+\.\d+)=(\d+)-(\d+)$/ && $2 <= $3 or die "expected ADDRESS=MIN-MAX, found '$_'\n";
    $delay{ inet_aton($1) } = [ $2 / 1000, ($3 - $2) / 1000 ];
}

open(my $tun, "+<", "/dev/net/tun") or die "/dev/net/tun: $!\n";
my $request = pack("a16 S x22", "slow%d", IFF_TUN | IFF_NO_PI);
ioctl($tun, TUNSETIFF, $request) or die "TUNSETIFF: $!\n";
my $device = unpack("Z16", $request);
run("ip", "link", "set", $device, "up", "txqueuelen", "10000");
run("ip", "route", "replace", "default", "dev", $device, "table", TABLE);
unless (`ip rule` =~ /fwmark 0x7a lookup/) { run("ip", "rule", "add", "fwmark", MARK_IN, "lookup", TABLE) }
socket(my $out, AF_INET, SOCK_RAW, IPPROTO_RAW) or die "raw socket: $!\n";
setsockopt($out, SOL_SOCKET, SO_MARK, pack("I", MARK_OUT)) or die "SO_MARK: $!\n";

$| = 1;
print "ready\n";
exit 0 unless @ARGV;

my $ending = 0;
$SIG{TERM} = sub { $ending = 1 };
my $readable = "";
vec($readable, fileno($tun), 1) = 1;
my @held;    # [when it is due, address, packet], the first due first
until ($ending && !@held) {
    my $wait = @held ? $held[0][0] - now() : 1;
    if ($wait <= 0) {
        my (undef, $address, $packet) = @{ shift @held };
        send($out, $packet, 0, pack_sockaddr_in(0, $address));
        next;
    }
    my $found = select(my $ready = $readable, undef, undef, $wait);
    next unless $found > 0 && sysread($tun, my $packet, 65_536);
    next if ord($packet) >> 4 != 4 || @held >= PACKETS_MAX;
    my $address = substr($packet, 16, 4);
    my ($min, $spread) = @{ $delay{$address} // [ 0, 0 ] };
    my $due = now() + $min + rand() * $spread;
    $due = $last{$address} if ($last{$address} // 0) > $due;
    $last{$address} = $due;
    my $at = @held;
    $at-- while $at > 0 && $held[ $at - 1 ][0] > $due;
    splice(@held, $at, 0, [ $due, $address, $packet ]);
}
