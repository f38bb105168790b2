// SPDX-License-Identifier: Apache-2.0
#include "bench/driver/workloads.h"

#include <iterator>

#include <fmt/format.h>

namespace bench::driver {
namespace {

using Text = fmt::memory_buffer;

template <typename... Args>
void Append(Text& text, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(text), format, std::forward<Args>(args)...);
}

/// `before` + names of all jobs of `layer`, `between` them.
void AppendLayer(Text& text, const Shape& shape, std::size_t layer, std::string_view between) {
  for (std::size_t i = 0; i < shape.width; ++i) {
    Append(text, "{}j{}_{}", i == 0 ? "" : between, layer, i);
  }
}

bool HasBarriers(const Shape& shape) {
  return shape.layers > 1 && shape.width > 1 && !shape.edges;
}

}  // namespace

std::string PipelineOf(const Shape& shape, std::string_view command) {
  Text text;
  Append(text, "name: bench\n");
  if (HasBarriers(shape)) {
    Append(text, "stages: [");
    for (std::size_t layer = 0; layer < shape.layers; ++layer) {
      Append(text, "{}s{}", layer == 0 ? "" : ", ", layer);
    }
    Append(text, "]\n");
  }
  Append(text, "jobs:\n");
  for (std::size_t layer = 0; layer < shape.layers; ++layer) {
    for (std::size_t i = 0; i < shape.width; ++i) {
      Append(text, "  j{}_{}: {{ ", layer, i);
      if (HasBarriers(shape)) {
        Append(text, "stage: s{}, ", layer);
      } else if (layer > 0) {
        Append(text, "needs: [");
        AppendLayer(text, shape, layer - 1, ", ");
        Append(text, "], ");
      }
      Append(text, "steps: [{{ run: \"{}\" }}] }}\n", command);
    }
  }
  return to_string(text);
}

std::string NinjaFileOf(const Shape& shape, std::string_view command) {
  Text text;
  Append(text, "rule r\n  command = {}\n", command);
  for (std::size_t layer = 0; layer < shape.layers; ++layer) {
    for (std::size_t i = 0; i < shape.width; ++i) {
      Append(text, "build j{}_{}: r", layer, i);
      if (layer > 0 && HasBarriers(shape)) {
        Append(text, " s{}", layer - 1);
      } else if (layer > 0) {
        Append(text, " ");
        AppendLayer(text, shape, layer - 1, " ");
      }
      Append(text, "\n");
    }
    if (HasBarriers(shape)) {
      Append(text, "build s{}: phony ", layer);
      AppendLayer(text, shape, layer, " ");
      Append(text, "\n");
    }
  }
  Append(text, "build all: phony ");
  AppendLayer(text, shape, shape.layers - 1, " ");
  Append(text, "\ndefault all\n");
  return to_string(text);
}

std::string MakefileOf(const Shape& shape, std::string_view command) {
  Text text;
  Append(text, ".PHONY: all\nall: ");
  AppendLayer(text, shape, shape.layers - 1, " ");
  Append(text, "\n");
  for (std::size_t layer = 0; layer < shape.layers; ++layer) {
    for (std::size_t i = 0; i < shape.width; ++i) {
      Append(text, ".PHONY: j{0}_{1}\nj{0}_{1}: ", layer, i);
      if (layer > 0 && HasBarriers(shape)) {
        Append(text, "s{}", layer - 1);
      } else if (layer > 0) {
        AppendLayer(text, shape, layer - 1, " ");
      }
      Append(text, "\n\t@{}\n", command);
    }
    if (HasBarriers(shape)) {
      Append(text, ".PHONY: s{0}\ns{0}: ", layer);
      AppendLayer(text, shape, layer, " ");
      Append(text, "\n");
    }
  }
  return to_string(text);
}

std::string ManyJobs(std::size_t count) {
  Text text;
  Append(text, "name: many\njobs:\n");
  for (std::size_t i = 0; i < count; ++i) {
    if (i % 10 == 0) {
      Append(text, "  job-{:06}: {{ needs: [], steps: [{{ run: \"true\" }}] }}\n", i);
    } else {
      Append(text, "  job-{:06}: {{ needs: [job-{:06}], steps: [{{ run: \"true\" }}] }}\n", i,
             i - 1);
    }
  }
  return to_string(text);
}

std::string TwoStages(std::size_t count) {
  Text text;
  Append(text, "name: stages\nstages: [first, second]\njobs:\n");
  for (const std::string_view stage : {"first", "second"}) {
    for (std::size_t i = 0; i < count; ++i) {
      Append(text, "  {0}-{1:06}: {{ stage: {0}, steps: [{{ run: \"true\" }}] }}\n", stage, i);
    }
  }
  return to_string(text);
}

std::string TemplateFamily(std::size_t jobs) {
  constexpr std::size_t kDepth = 10;
  const std::size_t chains = jobs / kDepth;
  Text text;
  Append(text, "name: family\ntemplates:\n");
  for (std::size_t chain = 0; chain < chains; ++chain) {
    for (std::size_t level = 0; level < kDepth; ++level) {
      Append(text, "  base-{}-{}:\n", chain, level);
      if (level > 0) {
        Append(text, "    extends: base-{}-{}\n", chain, level - 1);
      }
      Append(text, "    timeout: {}m\n    retry:\n      max: {}\n      on: [timeout]\n", level + 1,
             level % 3);
      Append(text, "    env:\n      LEVEL: \"{0}\"\n      SET_{0}: \"yes\"\n      MODE: m{0}\n",
             level);
      Append(text, "    before:\n      - ./setup.sh {}\n", level);
    }
    Append(text, "  last-{0}:\n    extends: base-{0}-{1}\n    inputs:\n", chain, kDepth - 1);
    Append(text,
           "      suite:\n        required: true\n      minutes:\n        type: number\n"
           "        default: 5\n    steps:\n      - make ${{{{ inputs.suite }}}}\n"
           "      - run: ./report.sh ${{{{ inputs.minutes }}}}\n        if: ${{{{ always() }}}}\n");
  }
  Append(text, "jobs:\n");
  for (std::size_t i = 0; i < jobs; ++i) {
    Append(text, "  job-{:04}:\n    extends:\n      - template: last-{}\n        with:\n", i,
           i / kDepth);
    Append(text, "          suite: suite-{}\n    env:\n      JOB: \"{}\"\n    priority: {}\n", i, i,
           i % 5);
  }
  return to_string(text);
}

std::string MatrixNeedsMatrix(std::size_t cells) {
  std::size_t side = 1;
  for (std::size_t divisor = 1; divisor * divisor <= cells; ++divisor) {
    side = cells % divisor == 0 ? divisor : side;
  }
  const std::size_t other = cells / side;
  Text text;
  Append(text, "name: matrix\njobs:\n");
  for (const std::string_view job : {"first", "second"}) {
    Append(text, "  {}:\n", job);
    if (job == "second") {
      Append(text, "    needs: [first]\n");
    }
    Append(text, "    matrix:\n");
    for (const auto& [axis, size] : {std::pair("a", side), std::pair("b", other)}) {
      Append(text, "      {}: [", axis);
      for (std::size_t i = 0; i < size; ++i) {
        Append(text, "{}{}", i == 0 ? "" : ", ", i);
      }
      Append(text, "]\n");
    }
    Append(text, "    steps: [{{ run: \"true\" }}]\n");
  }
  return to_string(text);
}

}  // namespace bench::driver
