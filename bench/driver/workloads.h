// SPDX-License-Identifier: Apache-2.0
// The same work written for each tool: a pipeline, a ninja file, a makefile.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace bench::driver {

/// `layers` groups of `width` jobs, each group after the whole one before; one layer: independent
/// jobs; width one: a chain.
struct Shape {
  std::size_t layers = 1;
  std::size_t width = 1;
  /// The order between groups is written as an edge for each pair of jobs, not as a barrier.
  bool edges = false;
  std::size_t jobs() const { return layers * width; }
};

/// Each job has the one step `command`. A barrier is a stage; a chain is written with `needs`.
std::string PipelineOf(const Shape& shape, std::string_view command);
/// Outputs never come into being, so every edge runs each time. A barrier is a phony target.
std::string NinjaFileOf(const Shape& shape, std::string_view command);
std::string MakefileOf(const Shape& shape, std::string_view command);

/// `count` jobs of one line, every tenth without needs and the others after the one before.
std::string ManyJobs(std::size_t count);
/// Two stages of `count` jobs.
std::string TwoStages(std::size_t count);
/// A matrix of `cells` that needs another of `cells`.
std::string MatrixNeedsMatrix(std::size_t cells);
/// A family of jobs as large users write it: chains of ten templates, the last with inputs, and
/// jobs that extend them; some 20 lines a job.
std::string TemplateFamily(std::size_t jobs);

}  // namespace bench::driver
