// SPDX-License-Identifier: Apache-2.0
// Files of a measurement. A scratch disk that does not work ends the program: no figure can follow.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bench::driver {

void WriteFile(const std::string& path, std::string_view text);
/// Empty when there is none.
std::string ReadFile(const std::string& path);
/// Makes `path` a new, empty folder, whatever was there.
void FreshFolder(const std::string& path);
bool FileExists(const std::string& path);
/// Bytes of all regular files below.
std::uint64_t BytesBelow(const std::string& path);

}  // namespace bench::driver
