// SPDX-License-Identifier: Apache-2.0
#include "api/wire/certificates.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <ctime>
#include <memory>
#include <utility>

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace api::wire {

namespace base = engine::base;
namespace model = engine::model;

namespace {

template <auto kFree>
struct Freed {
  template <typename T>
  void operator()(T* it) const {
    kFree(it);
  }
};
using Bio = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Request = std::unique_ptr<X509_REQ, Freed<X509_REQ_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Freed<X509_EXTENSION_free>>;
using Names = std::unique_ptr<GENERAL_NAMES, Freed<GENERAL_NAMES_free>>;
using Store = std::unique_ptr<X509_STORE, Freed<X509_STORE_free>>;
using StoreContext = std::unique_ptr<X509_STORE_CTX, Freed<X509_STORE_CTX_free>>;

constexpr std::string_view kScheme = "dayfly://";
constexpr std::size_t kNameMax = 64;

// OpenSSL keeps errors in a queue of the thread; the text of the newest is all that people need.
base::Status Trouble(std::string_view what) {
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_peek_last_error(), text.data(), text.size());
  ERR_clear_error();
  return base::Internal("{}: {}", what, text.data());
}

Bio Reader(std::string_view text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string TextOf(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

base::StatusOr<Certificate> ParseCertificate(std::string_view pem) {
  const Bio bio = Reader(pem);
  Certificate certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  if (certificate == nullptr) {
    return base::InvalidArgument("certificate: is no X.509 in PEM");
  }
  return certificate;
}

base::StatusOr<Key> ParseKey(std::string_view pem) {
  const Bio bio = Reader(pem);
  Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  if (key == nullptr) {
    return base::InvalidArgument("key: is no private key in PEM");
  }
  return key;
}

base::StatusOr<std::string> PemOf(X509* certificate) {
  const Bio bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_X509(bio.get(), certificate) != 1) {
    return Trouble("writing a certificate");
  }
  return TextOf(bio.get());
}

base::StatusOr<std::string> PemOf(EVP_PKEY* key) {
  const Bio bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return Trouble("writing a key");
  }
  return TextOf(bio.get());
}

Key NewKey() {
  return Key(EVP_EC_gen("P-256"));
}

bool IsNameByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == '_' || c == '@';
}

bool IsName(std::string_view name) {
  return !name.empty() && name.size() <= kNameMax && std::ranges::all_of(name, IsNameByte);
}

// ---- building

bool SetTimes(X509* certificate, base::Instant from, base::Instant to) {
  const auto seconds = [](base::Instant at) {
    return static_cast<std::time_t>(base::ToMicros(at) / 1'000'000);
  };
  return ASN1_TIME_set(X509_getm_notBefore(certificate), seconds(from)) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(certificate), seconds(to)) != nullptr;
}

bool SetSerial(X509* certificate) {
  std::array<unsigned char, 16> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
    return false;
  }
  bytes[0] &= 0x7f;  // positive
  const std::unique_ptr<BIGNUM, Freed<BN_free>> number(
      BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
  return number != nullptr &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool AddExtension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  return extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool SetName(X509_NAME* name, std::string_view text) {
  return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(text.data()),
                                    static_cast<int>(text.size()), -1, 0) == 1;
}

bool AddName(GENERAL_NAMES* names, int kind, std::string_view text) {
  ASN1_STRING* value = nullptr;
  if (kind == GEN_IPADD) {
    value = a2i_IPADDRESS(std::string(text).c_str());
  } else {
    value = ASN1_IA5STRING_new();
    if (value != nullptr &&
        ASN1_STRING_set(value, text.data(), static_cast<int>(text.size())) != 1) {
      ASN1_STRING_free(value);
      return false;
    }
  }
  GENERAL_NAME* name = GENERAL_NAME_new();
  if (value == nullptr || name == nullptr) {
    ASN1_STRING_free(value);
    GENERAL_NAME_free(name);
    return false;
  }
  GENERAL_NAME_set0_value(name, kind, value);
  return sk_GENERAL_NAME_push(names, name) > 0;
}

bool IsAddress(const std::string& host) {
  const std::unique_ptr<ASN1_OCTET_STRING, Freed<ASN1_OCTET_STRING_free>> address(
      a2i_IPADDRESS(host.c_str()));
  ERR_clear_error();
  return address != nullptr;
}

// The identity is the URI; host names are for those who check them.
bool AddNames(X509* certificate, const CertificateOrder& order) {
  const Names names(GENERAL_NAMES_new());
  bool ok = names != nullptr && AddName(names.get(), GEN_URI, ToUri(order.identity));
  for (const std::string& host : order.hosts) {
    ok = ok && AddName(names.get(), IsAddress(host) ? GEN_IPADD : GEN_DNS, host);
  }
  return ok && X509_add1_ext_i2d(certificate, NID_subject_alt_name, names.get(), 0, 0) == 1;
}

base::StatusOr<Certificate> Signed(const KeyPair& authority, EVP_PKEY* key,
                                   const CertificateOrder& order, base::Instant now) {
  ASSIGN_OR_RETURN(const Certificate issuer, ParseCertificate(authority.certificate));
  ASSIGN_OR_RETURN(const Key issuer_key, ParseKey(authority.key));
  Certificate made(X509_new());
  const bool server = order.identity.kind == Identity::Kind::kServer;
  const bool ok =
      made != nullptr && X509_set_version(made.get(), X509_VERSION_3) == 1 &&
      SetSerial(made.get()) && SetTimes(made.get(), now - kClockSkew, now + order.life) &&
      SetName(X509_get_subject_name(made.get()), ToUri(order.identity)) &&
      X509_set_issuer_name(made.get(), X509_get_subject_name(issuer.get())) == 1 &&
      X509_set_pubkey(made.get(), key) == 1 &&
      AddExtension(made.get(), issuer.get(), NID_basic_constraints, "critical,CA:FALSE") &&
      AddExtension(made.get(), issuer.get(), NID_key_usage, "critical,digitalSignature") &&
      AddExtension(made.get(), issuer.get(), NID_ext_key_usage,
                   server ? "serverAuth" : "clientAuth") &&
      AddExtension(made.get(), issuer.get(), NID_subject_key_identifier, "hash") &&
      AddExtension(made.get(), issuer.get(), NID_authority_key_identifier, "keyid") &&
      AddNames(made.get(), order) && X509_sign(made.get(), issuer_key.get(), EVP_sha256()) > 0;
  if (!ok) {
    return Trouble("signing a certificate");
  }
  return made;
}

// ---- reading

base::Instant InstantOf(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) {
    return {};
  }
  return base::InstantFromMicros(static_cast<std::int64_t>(timegm(&parts)) * 1'000'000);
}

std::optional<Identity> IdentityOf(X509* certificate) {
  const Names names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::optional<Identity> found;
  int uris = 0;
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_URI) {
      const ASN1_IA5STRING* uri = name->d.uniformResourceIdentifier;
      const auto* text = reinterpret_cast<const char*>(ASN1_STRING_get0_data(uri));
      found = IdentityFromUri({text, static_cast<std::size_t>(ASN1_STRING_length(uri))});
      ++uris;
    }
  }
  return uris == 1 ? found : std::nullopt;
}

bool IsOurKind(EVP_PKEY* key) {
  std::array<char, 32> group{};
  std::size_t size = 0;
  return key != nullptr && EVP_PKEY_is_a(key, "EC") == 1 &&
         EVP_PKEY_get_group_name(key, group.data(), group.size(), &size) == 1 &&
         std::string_view(group.data(), size) == "prime256v1";
}

}  // namespace

std::string ToUri(const Identity& identity) {
  switch (identity.kind) {
    case Identity::Kind::kWorker:
      return fmt::format("{}worker/{}", kScheme, identity.worker.value());
    case Identity::Kind::kOperator:
      return fmt::format("{}operator/{}", kScheme, identity.name);
    case Identity::Kind::kServer:
      break;
  }
  return fmt::format("{}server/{}", kScheme, identity.name);
}

std::optional<Identity> IdentityFromUri(std::string_view uri) {
  if (!uri.starts_with(kScheme)) {
    return std::nullopt;
  }
  uri.remove_prefix(kScheme.size());
  const std::size_t slash = uri.find('/');
  if (slash == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view kind = uri.substr(0, slash);
  const std::string_view name = uri.substr(slash + 1);
  if (kind == "worker") {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error != std::errc() || end != name.data() + name.size() || number == 0) {
      return std::nullopt;
    }
    return Identity{.kind = Identity::Kind::kWorker, .worker = model::WorkerId(number), .name = ""};
  }
  if ((kind != "operator" && kind != "server") || !IsName(name)) {
    return std::nullopt;
  }
  return Identity{.kind = kind == "server" ? Identity::Kind::kServer : Identity::Kind::kOperator,
                  .worker = {},
                  .name = std::string(name)};
}

base::StatusOr<KeyPair> MakeAuthority(std::string_view name, base::Instant now) {
  const Key key = NewKey();
  const Certificate made(X509_new());
  const bool ok =
      key != nullptr && made != nullptr && X509_set_version(made.get(), X509_VERSION_3) == 1 &&
      SetSerial(made.get()) && SetTimes(made.get(), now - kClockSkew, now + kAuthorityLife) &&
      SetName(X509_get_subject_name(made.get()), name) &&
      X509_set_issuer_name(made.get(), X509_get_subject_name(made.get())) == 1 &&
      X509_set_pubkey(made.get(), key.get()) == 1 &&
      AddExtension(made.get(), made.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
      AddExtension(made.get(), made.get(), NID_key_usage, "critical,keyCertSign,cRLSign") &&
      AddExtension(made.get(), made.get(), NID_subject_key_identifier, "hash") &&
      X509_sign(made.get(), key.get(), EVP_sha256()) > 0;
  if (!ok) {
    return Trouble("making a certificate authority");
  }
  KeyPair pair;
  ASSIGN_OR_RETURN(pair.certificate, PemOf(made.get()));
  ASSIGN_OR_RETURN(pair.key, PemOf(key.get()));
  return pair;
}

base::StatusOr<KeyPair> MakeCertificate(const KeyPair& authority, const CertificateOrder& order,
                                        base::Instant now) {
  if (!IdentityFromUri(ToUri(order.identity))) {
    return base::InvalidArgument("a certificate needs a name of letters, digits and '.-_@'");
  }
  const Key key = NewKey();
  if (key == nullptr) {
    return Trouble("making a key");
  }
  ASSIGN_OR_RETURN(const Certificate made, Signed(authority, key.get(), order, now));
  KeyPair pair;
  ASSIGN_OR_RETURN(pair.certificate, PemOf(made.get()));
  ASSIGN_OR_RETURN(pair.key, PemOf(key.get()));
  return pair;
}

base::StatusOr<std::string> MakeKey() {
  const Key key = NewKey();
  return key == nullptr ? Trouble("making a key") : PemOf(key.get());
}

base::StatusOr<std::string> MakeRequest(std::string_view key_pem) {
  ASSIGN_OR_RETURN(const Key key, ParseKey(key_pem));
  const Request request(X509_REQ_new());
  if (request == nullptr || X509_REQ_set_pubkey(request.get(), key.get()) != 1 ||
      X509_REQ_sign(request.get(), key.get(), EVP_sha256()) <= 0) {
    return Trouble("making a certificate request");
  }
  unsigned char* der = nullptr;
  const int size = i2d_X509_REQ(request.get(), &der);
  if (size <= 0) {
    return Trouble("writing a certificate request");
  }
  std::string bytes(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return bytes;
}

base::StatusOr<std::string> SignRequest(const KeyPair& authority, std::string_view request_der,
                                        const CertificateOrder& order, base::Instant now) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(request_der.data());
  const Request request(d2i_X509_REQ(nullptr, &bytes, static_cast<long>(request_der.size())));
  EVP_PKEY* key = request == nullptr ? nullptr : X509_REQ_get0_pubkey(request.get());
  const bool good = IsOurKind(key) && X509_REQ_verify(request.get(), key) == 1;
  ERR_clear_error();
  if (!good) {
    return base::InvalidArgument(
        "certificate_request: is no PKCS #10 request, in DER, signed with a P-256 key");
  }
  ASSIGN_OR_RETURN(const Certificate made, Signed(authority, key, order, now));
  return PemOf(made.get());
}

base::StatusOr<CertificateFacts> ReadCertificate(std::string_view pem) {
  ASSIGN_OR_RETURN(const Certificate certificate, ParseCertificate(pem));
  return CertificateFacts{.identity = IdentityOf(certificate.get()),
                          .valid_from = InstantOf(X509_get0_notBefore(certificate.get())),
                          .valid_to = InstantOf(X509_get0_notAfter(certificate.get()))};
}

base::Instant RenewAt(const CertificateFacts& facts) {
  return facts.valid_from + (facts.valid_to - facts.valid_from) / 2;
}

base::StatusOr<base::Digest> FingerprintOf(std::string_view pem) {
  ASSIGN_OR_RETURN(const Certificate certificate, ParseCertificate(pem));
  base::Digest digest;
  unsigned int size = 0;
  if (X509_digest(certificate.get(), EVP_sha256(), digest.bytes.data(), &size) != 1) {
    return Trouble("digesting a certificate");
  }
  return digest;
}

base::Status VerifySignedBy(std::string_view authority, std::string_view certificate,
                            base::Instant now) {
  ASSIGN_OR_RETURN(const Certificate issuer, ParseCertificate(authority));
  ASSIGN_OR_RETURN(const Certificate leaf, ParseCertificate(certificate));
  const Store store(X509_STORE_new());
  const StoreContext context(X509_STORE_CTX_new());
  if (store == nullptr || context == nullptr ||
      X509_STORE_add_cert(store.get(), issuer.get()) != 1 ||
      X509_STORE_CTX_init(context.get(), store.get(), leaf.get(), nullptr) != 1) {
    return Trouble("verifying a certificate");
  }
  X509_STORE_CTX_set_time(context.get(), 0,
                          static_cast<std::time_t>(base::ToMicros(now) / 1'000'000));
  if (X509_verify_cert(context.get()) == 1) {
    return base::OkStatus();
  }
  const int code = X509_STORE_CTX_get_error(context.get());
  ERR_clear_error();
  return base::PermissionDenied("certificate: {}", X509_verify_cert_error_string(code));
}

}  // namespace api::wire
