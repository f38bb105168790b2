// SPDX-License-Identifier: Apache-2.0
#include "api/wire/certificates.h"

#include <filesystem>
#include <sys/stat.h>

#include <gtest/gtest.h>

#include "api/wire/key_files.h"
#include "tests/support/temp_folder.h"

namespace api::wire {
namespace {

namespace base = engine::base;
namespace model = engine::model;
using std::chrono::hours;

const base::Instant kNow = base::InstantFromMicros(1'800'000'000'000'000);

CertificateOrder WorkerOrder(std::uint64_t worker) {
  return {
      .identity = {.kind = Identity::Kind::kWorker, .worker = model::WorkerId(worker), .name = ""},
      .hosts = {},
      .life = kWorkerLife};
}

class CertificatesTest : public testing::Test {
 protected:
  std::string SignedFor(const KeyPair& authority, base::Instant at) {
    const auto request = MakeRequest(*MakeKey());
    const auto signed_one = SignRequest(authority, *request, WorkerOrder(42), at);
    EXPECT_TRUE(signed_one.ok()) << signed_one.status();
    return signed_one.value_or("");
  }
  KeyPair authority_ = *MakeAuthority("test", kNow);
};

TEST_F(CertificatesTest, NameTheWorkerTheyWereMadeFor) {
  const auto facts = ReadCertificate(SignedFor(authority_, kNow));
  ASSERT_TRUE(facts.ok());
  ASSERT_TRUE(facts->identity.has_value());
  EXPECT_EQ(facts->identity->worker, model::WorkerId(42));
  EXPECT_EQ(facts->valid_to, kNow + hours(24));
}

TEST_F(CertificatesTest, CountFromAnHourBeforeTheyWereMade) {
  const std::string certificate = SignedFor(authority_, kNow);
  EXPECT_TRUE(VerifySignedBy(authority_.certificate, certificate, kNow - hours(1)).ok());
  EXPECT_TRUE(VerifySignedBy(authority_.certificate, certificate, kNow + hours(23)).ok());
  EXPECT_EQ(VerifySignedBy(authority_.certificate, certificate, kNow - hours(2)).code(),
            absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(VerifySignedBy(authority_.certificate, certificate, kNow + hours(25)).code(),
            absl::StatusCode::kPermissionDenied);
}

TEST_F(CertificatesTest, AreRenewedAtHalfOfTheirLife) {
  const auto facts = ReadCertificate(SignedFor(authority_, kNow));
  EXPECT_EQ(RenewAt(*facts), kNow - hours(1) + std::chrono::minutes(25 * 30));
}

TEST_F(CertificatesTest, OfAnotherAuthorityAreRefused) {
  const KeyPair other = *MakeAuthority("test", kNow);
  EXPECT_FALSE(VerifySignedBy(other.certificate, SignedFor(authority_, kNow), kNow).ok());
  EXPECT_NE(*FingerprintOf(other.certificate), *FingerprintOf(authority_.certificate));
}

TEST_F(CertificatesTest, AWorkersOwnKeyIsNoAuthority) {
  const auto worker = MakeCertificate(authority_, WorkerOrder(1), kNow);
  ASSERT_TRUE(worker.ok());
  const std::string forged = SignedFor(*worker, kNow);
  EXPECT_FALSE(VerifySignedBy(authority_.certificate, forged, kNow).ok());
  EXPECT_FALSE(VerifySignedBy(worker->certificate, forged, kNow).ok());
}

TEST_F(CertificatesTest, RequestsMustBeRequests) {
  std::string spoiled = *MakeRequest(*MakeKey());
  spoiled.back() = static_cast<char>(spoiled.back() ^ 1);
  for (const std::string& request : {std::string(), std::string("nonsense"), spoiled}) {
    EXPECT_EQ(SignRequest(authority_, request, WorkerOrder(1), kNow).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
}

TEST_F(CertificatesTest, NamesAreChecked) {
  CertificateOrder order = WorkerOrder(1);
  order.identity = {.kind = Identity::Kind::kOperator, .worker = {}, .name = "a/b"};
  EXPECT_FALSE(MakeCertificate(authority_, order, kNow).ok());
  order.identity.name = "ada@example.org";
  const auto made = MakeCertificate(authority_, order, kNow);
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(ReadCertificate(made->certificate)->identity, order.identity);
}

TEST_F(CertificatesTest, ServersHaveHostNames) {
  const CertificateOrder order = {
      .identity = {.kind = Identity::Kind::kServer, .worker = {}, .name = "one"},
      .hosts = {"localhost", "127.0.0.1", "::1"},
      .life = kAuthorityLife};
  const auto made = MakeCertificate(authority_, order, kNow);
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(ReadCertificate(made->certificate)->identity, order.identity);
}

TEST(IdentityUri, ReadsWhatItWrites) {
  for (const char* uri : {"dayfly://worker/7", "dayfly://operator/ada", "dayfly://server/host-1"}) {
    const auto identity = IdentityFromUri(uri);
    ASSERT_TRUE(identity.has_value()) << uri;
    EXPECT_EQ(ToUri(*identity), uri);
  }
  for (const char* uri : {"", "dayfly://", "dayfly://worker/", "dayfly://worker/0",
                          "dayfly://worker/7x", "dayfly://worker/-1", "dayfly://god/ada",
                          "dayfly://operator/", "dayfly://operator/a b", "http://worker/7"}) {
    EXPECT_FALSE(IdentityFromUri(uri).has_value()) << uri;
  }
}

TEST(KeyFiles, AreForTheirOwnerOnly) {
  const tests::support::TempFolder folder;
  const KeyPair pair = *MakeAuthority("test", kNow);
  ASSERT_TRUE(SaveKeyPair(folder.path().string(), "ca", pair).ok());
  struct stat facts {};
  ASSERT_EQ(::stat(folder.File("ca.key").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0600U);
  EXPECT_EQ(LoadKeyPair(folder.path().string(), "ca")->key, pair.key);
  ASSERT_EQ(::chmod(folder.File("ca.key").c_str(), 0644), 0);
  EXPECT_EQ(LoadKeyPair(folder.path().string(), "ca").status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(LoadKeyPair(folder.path().string(), "other").status().code(),
            absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace api::wire
