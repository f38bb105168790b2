// SPDX-License-Identifier: Apache-2.0
// Makes the tables of keys in docs/language.md anew: `write_language_reference [FILE]`.
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

#include "dsl/reference.h"

int main(int argc, char** argv) {
  const std::string path = argc > 1 ? argv[1] : DAYFLY_SOURCE_DIR "/docs/language.md";
  std::ifstream in(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (!in.eof() && in.fail()) {
    std::fprintf(stderr, "%s cannot be read\n", path.c_str());
    return 1;
  }
  in.close();
  std::ofstream out(path, std::ios::binary);
  out << dsl::WithKeyTables(text);
  return out.flush().good() ? 0 : 1;
}
