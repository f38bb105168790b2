// SPDX-License-Identifier: Apache-2.0
#include "api/wire/server_chain.h"

#include <memory>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "api/wire/certificates.h"

namespace api::wire {

namespace base = engine::base;

namespace {

struct Freed {
  void operator()(addrinfo* it) const { ::freeaddrinfo(it); }
  void operator()(SSL_CTX* it) const { SSL_CTX_free(it); }
  void operator()(SSL* it) const { SSL_free(it); }
  void operator()(BIO* it) const { BIO_free_all(it); }
};
using Addresses = std::unique_ptr<addrinfo, Freed>;
using Context = std::unique_ptr<SSL_CTX, Freed>;
using Connection = std::unique_ptr<SSL, Freed>;
using Bio = std::unique_ptr<BIO, Freed>;

class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  ~Socket() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

base::StatusOr<std::pair<std::string, std::string>> Split(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == address.size()) {
    return base::InvalidArgument("{}: an address is HOST:PORT", address);
  }
  std::string host = address.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  return std::make_pair(host, address.substr(colon + 1));
}

// Both directions of the socket give up after `timeout`, connecting included.
bool SetTimeouts(int fd, base::Duration timeout) {
  timeval limit{};
  limit.tv_sec = timeout.count() / 1'000'000;
  limit.tv_usec = timeout.count() % 1'000'000;
  return ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0 &&
         ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) == 0;
}

base::StatusOr<Socket> Connect(const std::string& address, base::Duration timeout) {
  ASSIGN_OR_RETURN(const auto parts, Split(address));
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int code = ::getaddrinfo(parts.first.c_str(), parts.second.c_str(), &hints, &found);
      code != 0) {
    return base::Unavailable("{}: {}", address, ::gai_strerror(code));
  }
  const Addresses addresses(found);
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    Socket socket(::socket(each->ai_family, each->ai_socktype | SOCK_CLOEXEC, each->ai_protocol));
    if (socket.fd() >= 0 && SetTimeouts(socket.fd(), timeout) &&
        ::connect(socket.fd(), each->ai_addr, each->ai_addrlen) == 0) {
      return socket;
    }
  }
  return base::Unavailable("{}: nobody answers", address);
}

base::StatusOr<std::string> PemOf(X509* certificate) {
  const Bio bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_X509(bio.get(), certificate) != 1) {
    return base::Internal("a certificate cannot be written");
  }
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}

// The first of the chain is the server's own.
base::StatusOr<std::string> Choose(SSL* ssl, const base::Digest& fingerprint, base::Instant now) {
  STACK_OF(X509)* chain = SSL_get_peer_cert_chain(ssl);
  if (chain == nullptr || sk_X509_num(chain) == 0) {
    return base::PermissionDenied("the server shows no certificate");
  }
  ASSIGN_OR_RETURN(const std::string leaf, PemOf(sk_X509_value(chain, 0)));
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    ASSIGN_OR_RETURN(std::string candidate, PemOf(sk_X509_value(chain, i)));
    ASSIGN_OR_RETURN(const base::Digest digest, FingerprintOf(candidate));
    if (digest == fingerprint) {
      RETURN_IF_ERROR(VerifySignedBy(candidate, leaf, now));
      return candidate;
    }
  }
  return base::PermissionDenied(
      "the server's certificate authority is not the one the join token was made for");
}

}  // namespace

base::StatusOr<std::string> FetchAuthority(const std::string& address,
                                           const base::Digest& fingerprint, base::Instant now,
                                           base::Duration timeout) {
  ASSIGN_OR_RETURN(const Socket socket, Connect(address, timeout));
  const Context context(SSL_CTX_new(TLS_client_method()));
  if (context == nullptr) {
    return base::Internal("TLS cannot be set up");
  }
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  // What is shown is judged below, by the fingerprint.
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
  const Connection ssl(SSL_new(context.get()));
  constexpr unsigned char kHttp2[] = {2, 'h', '2'};
  const bool shaken = ssl != nullptr && SSL_set_fd(ssl.get(), socket.fd()) == 1 &&
                      SSL_set_alpn_protos(ssl.get(), kHttp2, sizeof(kHttp2)) == 0 &&
                      SSL_connect(ssl.get()) == 1;
  ERR_clear_error();
  if (!shaken) {
    return base::Unavailable("{}: no TLS handshake", address);
  }
  return Choose(ssl.get(), fingerprint, now);
}

}  // namespace api::wire
