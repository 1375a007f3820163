// SHA-256, as FIPS 180-4 says. For digests of files that only this side can read.
#ifndef RF_SHA256_H
#define RF_SHA256_H

#include <stddef.h>
#include <stdint.h>

struct rf_sha256 {
  uint32_t state[8];
  uint64_t bytes;
  uint8_t block[64];
};

void rf_sha256_start(struct rf_sha256 *hash);
void rf_sha256_add(struct rf_sha256 *hash, const uint8_t *data, size_t size);
void rf_sha256_end(struct rf_sha256 *hash, uint8_t digest[32]);

#endif
