#!/bin/bash
# apt: starman | Perl, prefork
. "$(dirname "$0")/common.sh"
cat >"$WORK/app.psgi" <<'END'
use strict;
my $root = $ENV{DOCROOT};
sub {
    my $env = shift;
    if ($env->{REQUEST_METHOD} eq 'POST') {
        my $in = $env->{'psgi.input'}; my ($body, $piece) = ('', '');
        $body .= $piece while $in->read($piece, 65536);
        return [200, ['Content-Length' => length $body], [$body]];
    }
    my ($name) = $env->{PATH_INFO} =~ m{([^/]+)$};
    open my $file, '<:raw', "$root/$name" or return [404, ['Content-Length' => 0], []];
    return [200, ['Content-Length' => -s $file], $file];
};
END
export DOCROOT
run starman --workers 2 --listen $HOST:$PORT "$WORK/app.psgi"
