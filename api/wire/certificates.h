// SPDX-License-Identifier: Apache-2.0
// The server's own certificate authority (X.509, ECDSA P-256, by OpenSSL): the CA, certificates of
// servers, operators and workers, and who a certificate speaks for. Time and serial numbers' random
// bytes aside, nothing here reads its surroundings: `now` is passed in. Safe to call from several
// threads.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/digest.h"
#include "engine/base/status.h"
#include "engine/base/time.h"
#include "engine/model/ids.h"

namespace api::wire {

/// A certificate and its private key, both PEM. The key is a secret: never logged, files 0600.
struct KeyPair {
  std::string certificate;
  std::string key;
};

/// Whom a certificate speaks for: the one URI among its names.
struct Identity {
  enum class Kind { kWorker, kOperator, kServer };
  Kind kind = Kind::kWorker;
  engine::model::WorkerId worker;  ///< of a worker
  std::string name;                ///< of an operator or a server: letters, digits, `.-_@`, 1 to 64
  friend bool operator==(const Identity&, const Identity&) = default;
};
/// `dayfly://worker/7`, `dayfly://operator/ada`, `dayfly://server/host-1`.
std::string ToUri(const Identity& identity);
std::optional<Identity> IdentityFromUri(std::string_view uri);

/// Clocks of machines differ: a certificate counts from an hour before it was made.
inline constexpr engine::base::Duration kClockSkew = std::chrono::hours(1);
inline constexpr engine::base::Duration kAuthorityLife = std::chrono::hours(24 * 3650);
inline constexpr engine::base::Duration kWorkerLife = std::chrono::hours(24);

/// A new CA. `name` is for people.
engine::base::StatusOr<KeyPair> MakeAuthority(std::string_view name, engine::base::Instant now);

struct CertificateOrder {
  Identity identity;
  std::vector<std::string> hosts;  ///< of a server: DNS names and IP addresses
  engine::base::Duration life = kWorkerLife;
};

/// A fresh key and its certificate, signed by `authority`.
engine::base::StatusOr<KeyPair> MakeCertificate(const KeyPair& authority,
                                                const CertificateOrder& order,
                                                engine::base::Instant now);

/// A fresh private key, PEM.
engine::base::StatusOr<std::string> MakeKey();
/// A request (PKCS #10, DER) signed with `key`: it proves that the sender has it.
engine::base::StatusOr<std::string> MakeRequest(std::string_view key);
/// The certificate (PEM) for the key of `request`; everything else in the request is ignored.
/// `InvalidArgument`: it is no request, its signature is wrong, or its key is of another kind.
engine::base::StatusOr<std::string> SignRequest(const KeyPair& authority, std::string_view request,
                                                const CertificateOrder& order,
                                                engine::base::Instant now);

/// What stands in a certificate.
struct CertificateFacts {
  std::optional<Identity> identity;  ///< nothing when it has none, or more than one
  engine::base::Instant valid_from;
  engine::base::Instant valid_to;
};
/// `InvalidArgument` when it is no certificate.
engine::base::StatusOr<CertificateFacts> ReadCertificate(std::string_view pem);
/// The half of its life from which on it is renewed.
engine::base::Instant RenewAt(const CertificateFacts& facts);

/// SHA-256 of the certificate's DER form.
engine::base::StatusOr<engine::base::Digest> FingerprintOf(std::string_view pem);

/// OK when `authority` (PEM) signed `certificate` (PEM), which is good at `now`.
engine::base::Status VerifySignedBy(std::string_view authority, std::string_view certificate,
                                    engine::base::Instant now);

}  // namespace api::wire
