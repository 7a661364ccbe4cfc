import assert from "node:assert/strict";
import { test } from "node:test";

import { Api, ApiError } from "../../../app/static/js/api.js";
import { Account } from "../../../app/static/js/client/account.js";
import { Model } from "../../../app/static/js/client/model.js";

const ALICE = { username: "alice", password: "correct horse" };

/** An account at a server that refuses the sign-up. @param {Error} error */
function refusing(error) {
  const model = new Model(() => undefined);
  const api = { signUp: () => Promise.reject(error) };
  return { model, account: new Account({ model, api }) };
}

for (const [code, field] of [
  ["username_taken", "username"],
  ["common_password", "password"],
  ["password_from_name", "password"],
  ["weak_password", "password"],
]) {
  test(`the refusal ${code} is told beside the field ${field}, and nowhere else`, async () => {
    const { model, account } = refusing(new ApiError(422, code, "Choose another one."));
    model.set({ ...model.state, problem: "An earlier failure." });
    assert.deepEqual(await account.signIn(ALICE, { isNew: true }), { [field]: "Choose another one." });
    assert.equal(model.state.problem, "");
  });
}

for (const error of [
  new ApiError(401, "wrong_credentials", "The name or the password is wrong."),
  new ApiError(422, "validation_failed", "The request is not valid.", { body: "No object." }),
]) {
  test(`the refusal ${error.code} about no single field is a problem of the pane`, async () => {
    const { model, account } = refusing(error);
    assert.deepEqual(await account.signIn(ALICE, { isNew: true }), {});
    assert.equal(model.state.problem, error.message);
  });
}

test("errors of a request that is not valid are told by their field, the first one of each", async () => {
  const errors = [
    { loc: ["body", "username"], msg: "This is blank" },
    { loc: ["body", "password"], msg: "This is too short" },
    { loc: ["body", "password"], msg: "This is something else" },
  ];
  const body = { code: "validation_failed", detail: "Not valid.", errors };
  globalThis.fetch = async () => ({ status: 422, ok: false, statusText: "", json: async () => body });
  const account = new Account({ model: new Model(() => undefined), api: new Api() });
  assert.deepEqual(await account.signIn(ALICE, { isNew: true }), {
    username: "This is blank.",
    password: "This is too short.",
  });
});
