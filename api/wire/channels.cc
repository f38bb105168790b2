// SPDX-License-Identifier: Apache-2.0
#include "api/wire/channels.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/support/channel_arguments.h>

#include "api/wire/agent_messages.h"

namespace api::wire {

// The chain holds the CA, too: a newcomer compares it with the fingerprint in its join token.
std::shared_ptr<grpc::ServerCredentials> ServerTls(const std::string& authority,
                                                   const KeyPair& server) {
  grpc::SslServerCredentialsOptions options(GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY);
  options.pem_root_certs = authority;
  options.pem_key_cert_pairs.push_back({server.key, server.certificate + authority});
  return grpc::SslServerCredentials(options);
}

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& address, const std::string& authority,
                                           const KeyPair& client) {
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = authority;
  options.pem_private_key = client.key;
  options.pem_cert_chain = client.certificate;
  grpc::ChannelArguments arguments;
  arguments.SetSslTargetNameOverride(kServerHost);
  arguments.SetMaxReceiveMessageSize(kAgentMessageBytesMax);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(address, grpc::SslCredentials(options), arguments);
}

}  // namespace api::wire
