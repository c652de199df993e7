#pragma once
#include <zlib.h>
/// `inflateInit2` is a macro; windowBits 47 reads gzip and zlib alike.
static inline int tc_inflate_init(z_stream *_Nonnull stream, int window_bits) { return inflateInit2(stream, window_bits); }
