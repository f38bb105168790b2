// SPDX-License-Identifier: Apache-2.0
#include "apps/view/log_json.h"

#include "apps/view/json_text.h"

namespace apps::view {

void AppendLogLine(std::string& out, const LogLine& line) {
  JsonObject object(out);
  object.TextOrNull("at", line.at);
  object.Text("job", line.job);
  object.Number("attempt", line.attempt);
  object.Text("step", line.step);
  object.Number("offset", line.offset);
  object.Bool("continued", line.continued);
  object.Text("text", line.text);
  object.End();
  out += '\n';
}

}  // namespace apps::view
