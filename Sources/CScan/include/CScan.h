#pragma once
// Scans over exposition text with SIMD, where the machine has it; movemask cannot be reached from Swift.
// All functions may read up to 64 bytes behind `limit`, whatever stands there.
#include <stddef.h>
#include <stdint.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#if defined(__SSE2__)
static inline uint64_t tocsin_mask64(__m128i a, __m128i b, __m128i c, __m128i d, char wanted) {
    __m128i w = _mm_set1_epi8(wanted);
    return (uint64_t)(uint16_t)_mm_movemask_epi8(_mm_cmpeq_epi8(a, w)) |
           (uint64_t)(uint16_t)_mm_movemask_epi8(_mm_cmpeq_epi8(b, w)) << 16 |
           (uint64_t)(uint16_t)_mm_movemask_epi8(_mm_cmpeq_epi8(c, w)) << 32 |
           (uint64_t)(uint16_t)_mm_movemask_epi8(_mm_cmpeq_epi8(d, w)) << 48;
}
#endif

/// The offset of the first '{', blank, tab or line break from `from` on; `limit` when there is none before it.
static inline size_t tocsin_name_end(const uint8_t *_Nonnull text, size_t from, size_t limit) {
    size_t at = from;
#if defined(__SSE2__)
    const __m128i brace = _mm_set1_epi8('{'), blank = _mm_set1_epi8(' '), tab = _mm_set1_epi8('\t'),
                  line = _mm_set1_epi8('\n');
    for (; at < limit; at += 16) {
        __m128i block = _mm_loadu_si128((const __m128i *)(text + at));
        __m128i hits = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(block, brace), _mm_cmpeq_epi8(block, blank)),
                                    _mm_or_si128(_mm_cmpeq_epi8(block, tab), _mm_cmpeq_epi8(block, line)));
        int mask = _mm_movemask_epi8(hits);
        if (mask) {
            at += (size_t)__builtin_ctz((unsigned)mask);
            return at < limit ? at : limit;
        }
    }
    return limit;
#else
    while (at < limit && text[at] != '{' && text[at] != ' ' && text[at] != '\t' && text[at] != '\n') at++;
    return at;
#endif
}

/// The offset behind the '}' that ends a label list; `from` is the offset behind its '{'. Quotes and backslashes inside of
/// them are respected. 0 when a line break, or `limit`, comes before the end.
static inline size_t tocsin_labels_end(const uint8_t *_Nonnull text, size_t from, size_t limit) {
    size_t at = from;
    uint64_t inside = 0;
#if defined(__SSE2__)
    while (at < limit) {
        const __m128i *block = (const __m128i *)(text + at);
        __m128i a = _mm_loadu_si128(block), b = _mm_loadu_si128(block + 1), c = _mm_loadu_si128(block + 2),
                d = _mm_loadu_si128(block + 3);
        if (tocsin_mask64(a, b, c, d, '\\')) break;
        uint64_t quotes = tocsin_mask64(a, b, c, d, '"');
        // A bit is set where an odd number of quotes stands at or before it.
        quotes ^= quotes << 1;
        quotes ^= quotes << 2;
        quotes ^= quotes << 4;
        quotes ^= quotes << 8;
        quotes ^= quotes << 16;
        quotes ^= quotes << 32;
        quotes ^= inside;
        uint64_t ends = (tocsin_mask64(a, b, c, d, '}') | tocsin_mask64(a, b, c, d, '\n')) & ~quotes;
        if (ends) {
            at += (size_t)__builtin_ctzll(ends);
            return at < limit && text[at] == '}' ? at + 1 : 0;
        }
        inside = (uint64_t)((int64_t)quotes >> 63);
        at += 64;
    }
#endif
    while (at < limit) {
        uint8_t byte = text[at];
        if (byte == '"') {
            inside = ~inside;
        } else if (inside) {
            if (byte == '\\') at++;
        } else if (byte == '}') {
            return at + 1;
        } else if (byte == '\n') {
            return 0;
        }
        at++;
    }
    return 0;
}
