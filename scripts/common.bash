# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the front doors share. Sourced, never run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '%s\n' "$*" >&2; }
die() {
  say "$*"
  exit 1
}

# Build trees live beside each other under one folder, named like the CMake presets.
build_root() {
  local folder=${DAYFLY_BUILD_DIR:-$root/build}
  case "$folder" in
    /*) printf '%s' "$folder" ;;
    *) printf '%s' "$PWD/$folder" ;;
  esac
}

jobs_count() { printf '%s' "${DAYFLY_JOBS:-$(nproc 2>/dev/null || echo 2)}"; }

# configure PRESET [CMAKE OPTION]...   Prints only when it fails.
configure() {
  local preset=$1 folder log
  shift
  folder=$(build_root)/$preset
  mkdir -p "$folder"
  log=$folder/configure.log
  if ! cmake -S "$root" --preset "$preset" -B "$folder" "$@" </dev/null >"$log" 2>&1; then
    cat "$log" >&2
    die "configuring $folder failed"
  fi
}

# build PRESET [TARGET]...
build() {
  local preset=$1
  shift
  NINJA_STATUS=${NINJA_STATUS:-"[%f/%t] "} \
    ninja -C "$(build_root)/$preset" -j"$(jobs_count)" "$@" </dev/null
}
