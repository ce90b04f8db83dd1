"""Managed identities: who a group is, and tokens for its containers at the metadata address, as cloud SDKs ask for them."""
import base64
import json

from berth import SUBSCRIPTION, container, group, wait

USER = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/vault"
TOKENS = "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01"


def asking(image, query, header="Metadata: true", tail="sleep 600"):
    """A container that asks once and says what it got."""
    script = f"wget -q -O - --header '{header}' '{TOKENS}{query}' 2>/dev/null || echo refused; {tail}"
    return container("c", image, ["sh", "-c", f'trap "exit 0" TERM; {script}'])


def with_identity(body, kind, *users):
    identity = {"type": kind}
    if users:
        identity["userAssignedIdentities"] = {user: {} for user in users}
    return {**body, "identity": identity}


def claims(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def answer(berth, name):
    """What the container printed: the token's JSON, or "refused"."""
    said = wait("it was answered", lambda: berth.logs(name, "c").strip() or None, 30)
    return json.loads(said) if said.startswith("{") else said


def a_group_has_a_token_in_its_own_name(berth):
    body = group([asking(berth.image, "&resource=https://vault.example")], policy="Never")
    shown = berth.put("me", with_identity(body, "SystemAssigned")).expect(201).json["identity"]
    assert shown["type"] == "SystemAssigned" and len(shown["principalId"]) == 36 and len(shown["tenantId"]) == 36, shown
    assert berth.get("me")["identity"] == shown
    given = answer(berth, "me")
    said = claims(given["access_token"])
    assert said["oid"] == shown["principalId"] and said["tid"] == shown["tenantId"], said
    assert said["aud"] == given["resource"] == "https://vault.example", said
    assert said["xms_mirid"].lower() == berth.group_path("me").lower(), said
    assert given["token_type"] == "Bearer" and int(given["expires_on"]) == said["exp"], given
    berth.delete("me")


def such_a_token_opens_nothing_on_the_plane(berth):
    body = group([asking(berth.image, "&resource=https://management.azure.com/")], policy="Never")
    berth.put("climber", with_identity(body, "SystemAssigned")).expect(201)
    token = answer(berth, "climber")["access_token"]
    reply = berth.daemon.client(token).request("GET", f"{berth.group_path('climber')}?api-version=2023-05-01")
    assert reply.status == 401, reply.text
    berth.delete("climber")


def a_user_assigned_identity_is_the_same_for_every_group(berth):
    first = with_identity(group([asking(berth.image, "&resource=r")], policy="Never"), "UserAssigned", USER)
    shown = berth.put("one", first).expect(201).json["identity"]["userAssignedIdentities"][USER]
    query = f"&resource=r&client_id={shown['clientId']}"
    second = with_identity(group([asking(berth.image, query)], policy="Never"), "SystemAssigned, UserAssigned", USER)
    assert berth.put("two", second).expect(201).json["identity"]["userAssignedIdentities"][USER] == shown
    for name in ("one", "two"):
        given = answer(berth, name)
        assert given["client_id"] == shown["clientId"] and claims(given["access_token"])["oid"] == shown["principalId"], given
        berth.delete(name)


def whom_nobody_knows_and_who_forgets_the_header_get_no_token(berth):
    for name, query, header in (("stranger", "&resource=r&client_id=11111111-2222-3333-4444-555555555555", "Metadata: true"),
                                ("browser", "&resource=r", "Accept: text/html"), ("vague", "", "Metadata: true")):
        body = group([asking(berth.image, query, header)], policy="Never")
        berth.put(name, with_identity(body, "SystemAssigned")).expect(201)
        assert answer(berth, name) == "refused", berth.logs(name, "c")
        berth.delete(name)


def a_group_without_an_identity_finds_nobody_there(berth):
    berth.put("nobody", group([asking(berth.image, "&resource=r")], policy="Never")).expect(201)
    assert answer(berth, "nobody") == "refused"
    berth.delete("nobody")


def tokens_are_given_after_another_agent_took_over(berth):
    script = f"while :; do [ -e /go ] && wget -q -O - --header 'Metadata: true' '{TOKENS}&resource=r' && break; sleep 0.2; done; sleep 600"
    body = group([container("c", berth.image, ["sh", "-c", f"sleep 4; touch /go; {script}"])], policy="Never")
    berth.put("patient", with_identity(body, "SystemAssigned")).expect(201)
    berth.wait_state("patient", "Running")
    berth.agent.kill()
    berth.agent.start()
    assert claims(answer(berth, "patient")["access_token"])["aud"] == "r"
    berth.delete("patient")


CASES = [a_group_has_a_token_in_its_own_name, such_a_token_opens_nothing_on_the_plane,
         a_user_assigned_identity_is_the_same_for_every_group, whom_nobody_knows_and_who_forgets_the_header_get_no_token,
         a_group_without_an_identity_finds_nobody_there, tokens_are_given_after_another_agent_took_over]
