# An endpoint on this computer: takes each post, keeps it in the file $ARGV[0], and says yes. Prints its port first.
use strict;
use warnings;
use IO::Socket::INET;
$| = 1;
my $door = IO::Socket::INET->new(LocalAddr => "127.0.0.1", Listen => 5) or die "no door: $!";
print $door->sockport, "\n";
while (my $guest = $door->accept) {
    my ($length, $line, $body) = (0, "", "");
    while (defined($line = <$guest>) && $line ne "\r\n") {
        $length = $1 if $line =~ /^content-length: *(\d+)/i;
    }
    read($guest, $body, $length);
    open(my $kept, ">>", $ARGV[0]) or die "no file: $!";
    print $kept "$body\n";
    close $kept;
    print $guest "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
    close $guest;
}
