// SPDX-License-Identifier: Apache-2.0
#include "store/codec/envelope.h"

#include "engine/base/random.h"

namespace store::codec {
namespace {

using engine::base::DataLoss;
using engine::base::FailedPrecondition;

std::uint32_t Checksum(std::string_view payload) {
  return static_cast<std::uint32_t>(engine::base::StableHash(payload));
}

}  // namespace

void Seal(std::uint8_t version, std::size_t start, std::string& out) {
  const std::uint32_t sum = Checksum(std::string_view(out).substr(start + kEnvelopeBytes));
  out[start] = static_cast<char>(version);
  for (std::size_t i = 0; i < 4; ++i) {
    out[start + 1 + i] = static_cast<char>((sum >> (8 * i)) & 0xff);
  }
}

engine::base::Status CheckVersion(std::uint8_t version, std::uint8_t newest,
                                  std::string_view what) {
  if (version > newest) {
    return FailedPrecondition(
        "{} of format version {}: this build reads up to version {}; use a newer dayfly", what,
        version, newest);
  }
  if (version == 0) {
    return DataLoss("{} damaged: format version 0", what);
  }
  return engine::base::OkStatus();
}

engine::base::StatusOr<std::string_view> Unseal(std::string_view bytes, std::uint8_t newest,
                                                std::string_view what) {
  if (bytes.size() < kEnvelopeBytes) {
    return DataLoss("{} damaged: only {} bytes", what, bytes.size());
  }
  RETURN_IF_ERROR(CheckVersion(static_cast<std::uint8_t>(bytes[0]), newest, what));
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    sum |= static_cast<std::uint32_t>(static_cast<std::uint8_t>(bytes[1 + i])) << (8 * i);
  }
  const std::string_view payload = bytes.substr(kEnvelopeBytes);
  if (sum != Checksum(payload)) {
    return DataLoss("{} damaged: checksum does not fit ({} bytes)", what, bytes.size());
  }
  return payload;
}

}  // namespace store::codec
