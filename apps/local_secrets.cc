// SPDX-License-Identifier: Apache-2.0
#include "apps/local_secrets.h"

#include <cstdio>
#include <fcntl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "apps/text_file.h"

namespace apps {
namespace {

namespace base = engine::base;

constexpr std::uint64_t kSecretBytesMax = 64 << 10;

// Asks without showing what is typed. `InvalidArgument` where there is no terminal to ask on.
base::StatusOr<std::string> AskTerminal(const std::string& name) {
  const int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC);
  termios before{};
  if (terminal < 0 || tcgetattr(terminal, &before) != 0) {
    if (terminal >= 0) {
      close(terminal);
    }
    return base::InvalidArgument(
        "--secret {}: there is no terminal to ask on; give it as {}=@FILE or in .dayfly/secrets",
        name, name);
  }
  termios quiet = before;
  quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  tcsetattr(terminal, TCSAFLUSH, &quiet);
  const std::string prompt = fmt::format("secret {}: ", name);
  std::string value;
  bool read_all = write(terminal, prompt.data(), prompt.size()) > 0;
  for (char c = 0; read_all && c != '\n';) {
    read_all = read(terminal, &c, 1) == 1;
    if (read_all && c != '\n') {
      value += c;
    }
  }
  tcsetattr(terminal, TCSAFLUSH, &before);
  read_all = write(terminal, "\n", 1) == 1 && read_all;
  close(terminal);
  return read_all ? base::StatusOr<std::string>(value)
                  : base::InvalidArgument("--secret {}: nothing was typed", name);
}

base::StatusOr<std::string> ReadSecretFile(const std::string& name, const std::string& path) {
  auto text = ReadTextFile(path, kSecretBytesMax);
  if (!text.ok()) {
    return base::InvalidArgument("--secret {}: {}", name, base::Message(text.status()));
  }
  if (text->ends_with('\n')) {
    text->pop_back();
  }
  return text;
}

base::StatusOr<std::vector<NameValue>> ReadSecretsFile(const std::string& path) {
  struct stat facts {};
  if (stat(path.c_str(), &facts) != 0) {
    return std::vector<NameValue>();
  }
  if ((facts.st_mode & 077) != 0) {
    return base::InvalidArgument("{} can be read by others: chmod 600 {}", path, path);
  }
  ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path, kSecretBytesMax));
  return ParseEnvFile(text, path);
}

}  // namespace

base::StatusOr<std::unique_ptr<LocalSecrets>> LocalSecrets::Load(
    const std::vector<std::string>& given, const std::string& secrets_file) {
  auto secrets = std::make_unique<LocalSecrets>();
  ASSIGN_OR_RETURN(const std::vector<NameValue> kept, ReadSecretsFile(secrets_file));
  for (const auto& [name, value] : kept) {
    secrets->values_[name] = value;
  }
  for (const std::string& argument : given) {
    const std::size_t equals = argument.find('=');
    const std::string name = argument.substr(0, equals);
    if (name.empty() || (equals != std::string::npos && argument[equals + 1] != '@')) {
      // A value on the command line would be seen by every user of the machine.
      return base::InvalidArgument("--secret takes NAME or NAME=@FILE, not a value");
    }
    ASSIGN_OR_RETURN(secrets->values_[name],
                     equals == std::string::npos
                         ? AskTerminal(name)
                         : ReadSecretFile(name, argument.substr(equals + 2)));
  }
  return secrets;
}

base::StatusOr<std::string> LocalSecrets::Read(std::string_view name) {
  const auto found = values_.find(name);
  if (found == values_.end()) {
    return base::NotFound(
        "there is no secret '{}': give it with --secret {}=@FILE or in .dayfly/secrets", name,
        name);
  }
  return found->second;
}

}  // namespace apps
