// SPDX-License-Identifier: Apache-2.0
// A target has a source, also when all it is for is a header.
