// SHA-256: see sha256.h.
#include "sha256.h"

#include <string.h>

static const uint32_t round_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
    0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
    0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
    0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
    0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
    0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t turn(uint32_t value, int by) { return (value >> by) | (value << (32 - by)); }

#ifdef __x86_64__
#include <cpuid.h>
#include <immintrin.h>

// The processor's own rounds, four at a time; the state stands in the order they take it: A B E F and C D G H.
__attribute__((target("sha,sse4.1"))) static void take_blocks_fast(uint32_t state[8], const uint8_t *data, size_t count) {
  const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
  __m128i abef = _mm_set_epi32((int)state[0], (int)state[1], (int)state[4], (int)state[5]);
  __m128i cdgh = _mm_set_epi32((int)state[2], (int)state[3], (int)state[6], (int)state[7]);
  for (; count > 0; count--, data += 64) {
    const __m128i abef_before = abef, cdgh_before = cdgh;
    __m128i words[4];
    for (int i = 0; i < 16; i++) {
      __m128i four;
      if (i < 4) {
        four = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)(data + 16 * i)), swap);
      } else {
        const __m128i last = words[(i + 3) % 4];
        four = _mm_add_epi32(_mm_sha256msg1_epu32(words[i % 4], words[(i + 1) % 4]), _mm_alignr_epi8(last, words[(i + 2) % 4], 4));
        four = _mm_sha256msg2_epu32(four, last);
      }
      words[i % 4] = four;
      const __m128i keyed = _mm_add_epi32(four, _mm_loadu_si128((const __m128i *)(const void *)(round_constants + 4 * i)));
      cdgh = _mm_sha256rnds2_epu32(cdgh, abef, keyed);
      abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(keyed, 0x0e));
    }
    abef = _mm_add_epi32(abef, abef_before);
    cdgh = _mm_add_epi32(cdgh, cdgh_before);
  }
  uint32_t first[4], second[4];
  _mm_storeu_si128((__m128i *)(void *)first, abef);
  _mm_storeu_si128((__m128i *)(void *)second, cdgh);
  const uint32_t now[8] = {first[3], first[2], second[3], second[2], first[1], first[0], second[1], second[0]};
  memcpy(state, now, sizeof now);
}

static int is_fast(void) {
  static int known = -1;
  unsigned a, b, c, d;
  if (known >= 0) return known;
  known = __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_SSE4_1) != 0 && (c & bit_SSSE3) != 0;
  known = known && __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & bit_SHA) != 0;
  return known;
}
#endif

static void take_block(uint32_t state[8], const uint8_t *data) {
  uint32_t words[64];
  for (int i = 0; i < 16; i++) words[i] = (uint32_t)data[4 * i] << 24 | (uint32_t)data[4 * i + 1] << 16 | (uint32_t)data[4 * i + 2] << 8 | data[4 * i + 3];
  for (int i = 16; i < 64; i++) {
    const uint32_t near = words[i - 15], far = words[i - 2];
    words[i] = words[i - 16] + (turn(near, 7) ^ turn(near, 18) ^ near >> 3) + words[i - 7] + (turn(far, 17) ^ turn(far, 19) ^ far >> 10);
  }
  uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6], h = state[7];
  for (int i = 0; i < 64; i++) {
    const uint32_t first = h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + round_constants[i] + words[i];
    const uint32_t second = (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    h = g;
    g = f;
    f = e;
    e = d + first;
    d = c;
    c = b;
    b = a;
    a = first + second;
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
  state[4] += e;
  state[5] += f;
  state[6] += g;
  state[7] += h;
}

static void take_blocks(uint32_t state[8], const uint8_t *data, size_t count) {
#ifdef __x86_64__
  if (is_fast()) {
    take_blocks_fast(state, data, count);
    return;
  }
#endif
  for (; count > 0; count--, data += 64) take_block(state, data);
}

void rf_sha256_start(struct rf_sha256 *hash) {
  static const uint32_t start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  memcpy(hash->state, start, sizeof start);
  hash->bytes = 0;
}

void rf_sha256_add(struct rf_sha256 *hash, const uint8_t *data, size_t size) {
  size_t held = hash->bytes % 64;
  hash->bytes += size;
  if (held > 0) {
    const size_t part = size < 64 - held ? size : 64 - held;
    memcpy(hash->block + held, data, part);
    if (held + part < 64) return;
    take_blocks(hash->state, hash->block, 1);
    data += part;
    size -= part;
  }
  take_blocks(hash->state, data, size / 64);
  memcpy(hash->block, data + size / 64 * 64, size % 64);
}

void rf_sha256_end(struct rf_sha256 *hash, uint8_t digest[32]) {
  const uint64_t bits = hash->bytes * 8;
  static const uint8_t pad[64] = {0x80};
  uint8_t length[8];
  const size_t held = hash->bytes % 64;
  rf_sha256_add(hash, pad, held < 56 ? 56 - held : 120 - held);
  for (int i = 0; i < 8; i++) length[i] = (uint8_t)(bits >> (56 - 8 * i));
  rf_sha256_add(hash, length, sizeof length);
  for (int i = 0; i < 32; i++) digest[i] = (uint8_t)(hash->state[i / 4] >> (24 - 8 * (i % 4)));
}
