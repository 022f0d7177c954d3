# Cuts a mounted ext4 file system off from its disk: from this moment on nothing more is written, neither data nor
# journal. What remains is what a power cut leaves.
#
#     perl cut-power.pl MOUNTPOINT
use strict;
use warnings;

use constant { EXT4_IOC_SHUTDOWN => 0x8004587d, EXT4_GOING_FLAGS_NOLOGFLUSH => 2 };

open(my $root, "<", $ARGV[0]) or die "$ARGV[0]: $!\n";
my $how = pack("L", EXT4_GOING_FLAGS_NOLOGFLUSH);
ioctl($root, EXT4_IOC_SHUTDOWN, $how) or die "EXT4_IOC_SHUTDOWN: $!\n";
