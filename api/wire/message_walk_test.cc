// SPDX-License-Identifier: Apache-2.0
// Every field of every message goes through the model and comes back. The walk fills messages by
// reflection, so a field that is new in the .proto and forgotten in a conversion is noticed; a
// member that is new in the model and forgotten in the .proto does not compile below.
#include <string>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include "api/wire/agent_messages.h"

namespace api::wire {
namespace {

namespace model = engine::model;
namespace pb = dayfly::v1;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::OneofDescriptor;
using google::protobuf::Reflection;

/// Fills all fields; of a `oneof` the alternative number `choice`, of a repeated message that has
/// one an element for each alternative.
class Filler {
 public:
  explicit Filler(int choice) : choice_(choice) {}

  void Fill(Message* message, int element = 0) const {
    const auto* type = message->GetDescriptor();
    for (int i = 0; i < type->field_count(); ++i) {
      const FieldDescriptor* field = type->field(i);
      const OneofDescriptor* oneof = field->containing_oneof();
      if (oneof != nullptr && field != oneof->field((choice_ + element) % oneof->field_count())) {
        continue;
      }
      const int count = field->is_repeated() ? ElementsOf(field) : 1;
      for (int j = 0; j < count; ++j) {
        FillField(message, field, field->is_repeated() ? j : element);
      }
    }
  }

 private:
  static int ElementsOf(const FieldDescriptor* field) {
    const auto* type = field->message_type();
    return type != nullptr && type->oneof_decl_count() > 0 ? type->oneof_decl(0)->field_count() : 2;
  }

  static std::string TextOf(const FieldDescriptor* field, int element) {
    if (field->full_name() == "dayfly.v1.Reason.code") {
      return "exit_code";
    }
    if (field->name() == "manifest" || field->name() == "document") {
      return std::string(32, static_cast<char>('a' + element));
    }
    return field->name() + std::to_string(element) +
           (field->type() == FieldDescriptor::TYPE_BYTES ? "\xff" : "");
  }

  static int NumberOf(const FieldDescriptor* field, int element) {
    if (field->name() == "need") {
      return element;  // a position in a list of two
    }
    return field->full_name() == "dayfly.v1.AssignedNeed.artifacts" ? 2 + element
                                                                    : field->number() + 1;
  }

  void FillField(Message* message, const FieldDescriptor* field, int element) const {
    const Reflection* reflection = message->GetReflection();
    const bool repeated = field->is_repeated();
    const int number = NumberOf(field, element);
    const auto put = [&](auto set, auto add, auto value) {
      repeated ? (reflection->*add)(message, field, value)
               : (reflection->*set)(message, field, value);
    };
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_MESSAGE:
        Fill(repeated ? reflection->AddMessage(message, field)
                      : reflection->MutableMessage(message, field),
             element);
        return;
      case FieldDescriptor::CPPTYPE_STRING:
        return put(&Reflection::SetString, &Reflection::AddString, TextOf(field, element));
      case FieldDescriptor::CPPTYPE_ENUM: {
        const auto* last = field->enum_type()->value(field->enum_type()->value_count() - 1);
        return put(&Reflection::SetEnumValue, &Reflection::AddEnumValue, last->number());
      }
      case FieldDescriptor::CPPTYPE_BOOL:
        return put(&Reflection::SetBool, &Reflection::AddBool, true);
      case FieldDescriptor::CPPTYPE_UINT32:
        return put(&Reflection::SetUInt32, &Reflection::AddUInt32,
                   static_cast<std::uint32_t>(number));
      case FieldDescriptor::CPPTYPE_UINT64:
        return put(&Reflection::SetUInt64, &Reflection::AddUInt64,
                   static_cast<std::uint64_t>(number));
      case FieldDescriptor::CPPTYPE_INT64:
        return put(&Reflection::SetInt64, &Reflection::AddInt64, number);
      case FieldDescriptor::CPPTYPE_INT32:
      case FieldDescriptor::CPPTYPE_DOUBLE:
      case FieldDescriptor::CPPTYPE_FLOAT:
        FAIL() << field->full_name() << " is of a type that the walk does not know";
    }
  }

  int choice_;
};

std::string Difference(const Message& a, const Message& b) {
  google::protobuf::util::MessageDifferencer differencer;
  std::string text;
  differencer.ReportDifferencesToString(&text);
  differencer.Compare(a, b);
  return text;
}

constexpr int kChoicesMax = 7;

// The orders of `Order` are chosen by the same number as the body of the message, so the walk goes
// over all pairs by giving each body all choices.
template <typename Wire, typename From>
void Walk(From from) {
  const auto* body = Wire::descriptor()->oneof_decl(0);
  for (int alternative = 0; alternative < body->field_count(); ++alternative) {
    for (int choice = 0; choice < kChoicesMax; ++choice) {
      Wire message;
      const FieldDescriptor* field = body->field(alternative);
      Filler(choice).Fill(message.GetReflection()->MutableMessage(&message, field));
      if (IsLogMessage(message)) {
        continue;
      }
      const auto value = from(message);
      ASSERT_TRUE(value.ok()) << field->full_name() << ": " << value.status();
      Wire back;
      ToWire(*value, &back);
      EXPECT_EQ(Difference(message, back), "") << field->full_name();
    }
  }
}

TEST(AgentMessages, EveryFieldFromTheAgentComesThrough) {
  Walk<pb::AgentMessage>([](const pb::AgentMessage& message) { return AgentMessageFrom(message); });
}

TEST(AgentMessages, EveryFieldFromTheServerComesThrough) {
  Walk<pb::ServerMessage>(
      [](const pb::ServerMessage& message) { return ServerMessageFrom(message); });
}

// A member that is new makes these fail to compile: carry it in the .proto and in the conversions,
// or name it in `CutPlan` as something that stays with the server; then count it here.
TEST(AgentMessages, CarryAllMembersOfTheModel) {
  const model::Assignment assignment;
  [[maybe_unused]] const auto& [lease, plan, job, context, run_env, job_env, needs, timeout, grace,
                                finally_budget, effect_may_be_done, approval, run_cancelled] =
      assignment;
  const model::RunContext run;
  [[maybe_unused]] const auto& [event, commit, branch, tag, default_branch, by, source, file, tree,
                                workspace, inputs, data, extra, seed] = run;
  const model::JobSpec spec;
  [[maybe_unused]] const auto& [name, stage, has_needs, priority, spec_needs, condition, env, steps,
                                spec_timeout, matrix, rare, at] = spec;
  const model::RareJobSettings settings;
  [[maybe_unused]] const auto& [retry, allow_failure, outputs, engine_outputs, uploads,
                                uploads_when, artifacts_expire, junit_reports, caches, reuse_inputs,
                                need_artifacts, finally_steps, checkout, queue_timeout, log_limit,
                                pool, place, delay, concurrency, asks, environment, overlap_never,
                                need_cells, services] = settings;
  const model::StepSpec step;
  [[maybe_unused]] const auto& [id, step_name, command, shell, workdir, step_env, step_if,
                                step_timeout, continue_on_error, background, effects_once,
                                effect_check, argv] = step;
  const model::StopAttempt stop;
  [[maybe_unused]] const auto& [stop_lease, kill, reason, stop_grace] = stop;
  const model::ReportStepEnded step_ended;
  [[maybe_unused]] const auto& [ended_step, status, step_reason, took, log] = step_ended;
  const model::ReportEnded ended;
  [[maybe_unused]] const auto& [end_status, infra, end_reason, end_took, end_outputs, end_spilled,
                                artifacts, remarks] = ended;
  const model::JobResult result;  // its remarks are for people, no other job asks for them
  [[maybe_unused]] const auto& [result_status, result_reason, result_outputs, result_spilled,
                                result_artifacts, result_remarks] = result;
  SUCCEED();
}

}  // namespace
}  // namespace api::wire
