// The JavaScript SDK against a running Berth, its pagers and pollers used as its manual says. One TAP line a test.
// Wants the BERTH_* variables of build/quickstart.env or tests/clients/stage.py, and NODE_EXTRA_CA_CERTS.
import { ContainerInstanceManagementClient } from "@azure/arm-containerinstance";
import { ResourceManagementClient } from "@azure/arm-resources";
import { SubscriptionClient } from "@azure/arm-subscriptions";
import { ClientSecretCredential } from "@azure/identity";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

const env = (name) => process.env[`BERTH_${name}`];
const url = env("AUTHORITY"), location = env("LOCATION"), rg = env("RESOURCE_GROUP"), subscription = env("SUBSCRIPTION");
const FAST_MS = 15000; // no wait may come near what a poller sleeps when it is not told otherwise
const GOES_ON = 'trap "exit 0" TERM; while :; do sleep 1 & wait $!; done'; // ends when told, not after the grace

const credential = (secret = env("CLIENT_SECRET")) => new ClientSecretCredential(env("TENANT_ID"), env("CLIENT_ID"), secret,
    { authorityHost: url, disableInstanceDiscovery: true });
const options = { endpoint: url, credentialScopes: [`${url}/.default`] };
const containers = new ContainerInstanceManagementClient(credential(), subscription, options);
const resources = new ResourceManagementClient(credential(), subscription, options);
const subscriptions = new SubscriptionClient(credential(), options);
const groups = containers.containerGroups;

const requests = (cpu = 0.1, memoryInGB = 0.1) => ({ requests: { cpu, memoryInGB } });
const small = (script = GOES_ON, more = {}) => ({ location, osType: "Linux", restartPolicy: "Always", containers: [
    { name: "c", image: env("IMAGE"), command: ["sh", "-c", script], resources: requests() }], ...more });
const full = (open = "shown") => ({
    location, osType: "Linux", restartPolicy: "Always", tags: { by: "javascript" },
    containers: [{
        name: "web", image: `${env("PRIVATE_REGISTRY")}/busybox:1`, resources: requests(0.2, 0.2),
        ports: [{ port: 80, protocol: "TCP" }], command: ["sh", "-c", `echo "$OPEN \${#KEY}"; ${GOES_ON}`],
        environmentVariables: [{ name: "OPEN", value: open }, { name: "KEY", secureValue: "hush-hush" }],
    }],
    imageRegistryCredentials: [{ server: env("PRIVATE_REGISTRY"), username: env("REGISTRY_USER"), password: env("REGISTRY_PASSWORD") }],
    ipAddress: { type: "Public", ports: [{ port: 80, protocol: "TCP" }] },
});

async function all(pager) {
    const found = [];
    for await (const one of pager) found.push(one);
    return found;
}

async function timed(promise) {
    const begun = Date.now(), result = await promise;
    assert(Date.now() - begun < FAST_MS, `it took ${Date.now() - begun} ms`);
    return result;
}

async function until(what, check) {
    for (const end = Date.now() + FAST_MS; !(await check());) {
        assert(Date.now() < end, `not within ${FAST_MS} ms: ${what}`);
        await new Promise((resolve) => setTimeout(resolve, 200));
    }
}

async function refused(status, code, work) {
    let result;
    try {
        result = await work();
    } catch (error) {
        assert.deepEqual([error.statusCode, error.code], [status, code], `${error.message}`.slice(0, 400));
        return error;
    }
    throw new Error(`accepted, expected ${status} ${code}: ${JSON.stringify(result)}`.slice(0, 400));
}

const log = async (group, container, more) => (await containers.containers.listLogs(rg, group, container, more)).content;

// The SDK has what is below "properties" one level higher.
const raised = ({ properties, ...rest }) => ({ ...rest, ...properties });
function fromWire(document) {
    const made = raised(document);
    for (const list of ["containers", "initContainers"]) if (made[list]) made[list] = made[list].map(raised);
    return made;
}

const tests = {
    // ---- sign-in and what is around ----
    async "a wrong secret is refused by its name"() {
        await assert.rejects(credential("wrong").getToken(`${url}/.default`), /AADSTS7000215/);
    },
    async "subscriptions, tenants and locations are listed"() {
        const one = (await all(subscriptions.subscriptions.list())).find((s) => s.subscriptionId === subscription);
        assert.equal(one.state, "Enabled");
        assert.equal((await subscriptions.subscriptions.get(subscription)).id, `/subscriptions/${subscription}`);
        assert.deepEqual((await all(subscriptions.tenants.list())).map((t) => t.tenantId), [env("TENANT_ID")]);
        assert((await all(subscriptions.subscriptions.listLocations(subscription))).some((l) => l.name === location));
    },
    async "a resource group is made, changed and found"() {
        const made = await resources.resourceGroups.createOrUpdate(rg, { location, tags: { a: "1" } });
        assert.deepEqual([made.name, made.properties.provisioningState], [rg, "Succeeded"]);
        assert((await resources.resourceGroups.checkExistence(rg)).body);
        assert(!(await resources.resourceGroups.checkExistence(`${rg}-none`)).body);
        assert.deepEqual((await resources.resourceGroups.update(rg, { tags: { b: "2" } })).tags, { b: "2" });
        assert((await all(resources.resourceGroups.list())).some((one) => one.name === rg));
    },
    async "the provider is registered and tells its versions"() {
        const provider = await resources.providers.get("Microsoft.ContainerInstance");
        assert.equal(provider.registrationState, "Registered");
        const type = provider.resourceTypes.find((one) => one.resourceType === "containerGroups");
        assert(type.apiVersions.includes("2023-05-01") && type.locations.length > 0);
        assert.equal((await resources.providers.register("Microsoft.ContainerInstance")).registrationState, "Registered");
    },

    // ---- groups ----
    async "a group with everything is created and runs"() {
        const made = await timed(groups.beginCreateOrUpdateAndWait(rg, "web", full()));
        assert.deepEqual([made.provisioningState, made.instanceView.state], ["Succeeded", "Running"]);
        assert(made.ipAddress.ip);
        const [one] = made.containers;
        assert.equal(one.instanceView.currentState.state, "Running");
        assert(one.instanceView.currentState.startTime instanceof Date && one.instanceView.events.some((e) => e.name === "Started"));
        assert.deepEqual(one.environmentVariables, [{ name: "OPEN", value: "shown" }, { name: "KEY" }]);
        assert.equal(made.imageRegistryCredentials[0].password, undefined);
    },
    async "a poller says how far it is and can be taken up again"() {
        const poller = await groups.beginCreateOrUpdate(rg, "resumed", small());
        const again = await groups.beginCreateOrUpdate(rg, "resumed", small(), { resumeFrom: poller.toString() });
        assert.equal((await timed(again.pollUntilDone())).name, "resumed");
        assert(again.isDone() && again.getOperationState().status === "succeeded");
        assert.equal((await timed(poller.pollUntilDone())).name, "resumed");
    },
    async "it is shown in whatever case and keeps its own"() {
        assert.equal((await groups.get(rg.toUpperCase(), "WEB")).name, "web");
    },
    async "lists come page by page"() {
        const pages = [];
        for await (const page of groups.listByResourceGroup("paged").byPage()) pages.push(page.map((one) => one.name));
        const names = pages.flat();
        assert(pages.length > 1);
        assert.equal(new Set(names).size, Number(env("PAGED")));
        assert.equal(names.length, Number(env("PAGED")));
        assert((await all(groups.list())).length > names.length);
    },
    async "tags are changed and nothing else"() {
        const before = await groups.get(rg, "web"), after = await groups.update(rg, "web", { location, tags: { by: "nobody" } });
        assert.deepEqual(after.tags, { by: "nobody" });
        assert.deepEqual(after.containers[0].instanceView.currentState, before.containers[0].instanceView.currentState);
    },
    async "a group is changed by putting it again"() {
        const made = await timed(groups.beginCreateOrUpdateAndWait(rg, "web", full("changed")));
        assert.equal(made.containers[0].environmentVariables[0].value, "changed");
        await until("the new one wrote", async () => (await log("web", "web")).includes("changed 9"));
    },
    async "logs are text, with the last lines and times when asked"() {
        await timed(groups.beginCreateOrUpdateAndWait(rg, "talk", small(`for i in 1 2 3 4 5; do echo line $i; done; ${GOES_ON}`)));
        await until("all is written", async () => (await log("talk", "c")).includes("line 5"));
        assert.equal(await log("talk", "c"), "line 1\nline 2\nline 3\nline 4\nline 5\n");
        assert.equal(await log("talk", "c", { tail: 2 }), "line 4\nline 5\n");
        assert.match(await log("talk", "c", { timestamps: true }), /^(\d{4}-\d\d-\d\dT[\d:.]+Z line \d\n){5}$/);
    },
    async "a group stops, starts and restarts"() {
        await groups.stop(rg, "web");
        const stopped = await groups.get(rg, "web");
        assert.deepEqual([stopped.instanceView.state, stopped.containers[0].instanceView.currentState.state], ["Stopped", "Terminated"]);
        await timed(groups.beginStartAndWait(rg, "web"));
        const started = (await groups.get(rg, "web")).containers[0].instanceView.currentState;
        assert.equal(started.state, "Running");
        await new Promise((resolve) => setTimeout(resolve, 1100));
        await timed(groups.beginRestartAndWait(rg, "web"));
        const again = (await groups.get(rg, "web")).containers[0].instanceView;
        assert(again.currentState.startTime > started.startTime);
        assert.equal(again.restartCount, 0);
    },
    async "a job ends with its exit code"() {
        await timed(groups.beginCreateOrUpdateAndWait(rg, "job", small("exit 3", { restartPolicy: "Never" })));
        await until("it ended", async () => (await groups.get(rg, "job")).instanceView.state === "Failed");
        const state = (await groups.get(rg, "job")).containers[0].instanceView.currentState;
        assert.deepEqual([state.state, state.exitCode, state.detailStatus], ["Terminated", 3, "Error"]);
    },
    async "what is shown can be put again under another name"() {
        await timed(groups.beginCreateOrUpdateAndWait(rg, "talk2", await groups.get(rg, "talk")));
        await timed(groups.beginDeleteAndWait(rg, "talk2"));
    },
    async "what a location has and can do is told"() {
        const usage = Object.fromEntries((await all(containers.location.listUsage(location))).map((one) => [one.name.value, one]));
        assert(usage.ContainerGroups.currentValue >= 1 && usage.ContainerGroups.limit >= 1 && usage.StandardCores);
        const able = (await all(containers.location.listCapabilities(location))).filter((one) => one.osType === "Linux");
        assert(able.length && able[0].capabilities.maxCpu > 0 && able[0].resourceType === "containerGroups");
        assert((await all(containers.location.listCachedImages(location))).some((one) => one.image === env("IMAGE")));
    },
    async "operations and outbound dependencies are listed"() {
        const names = (await all(containers.operations.list())).map((one) => one.name);
        assert(names.includes("Microsoft.ContainerInstance/containerGroups/read"));
        const reached = await groups.getOutboundNetworkDependenciesEndpoints(rg, "web");
        assert.equal(reached.length ?? Object.keys(reached).length, 0);
    },
    async "resources are listed and reached by id"() {
        const found = (await all(resources.resources.listByResourceGroup(rg))).find((one) => one.name === "web");
        assert.equal(found.type, "Microsoft.ContainerInstance/containerGroups");
        const filter = "resourceType eq 'Microsoft.ContainerInstance/containerGroups'";
        assert((await all(resources.resources.list({ filter }))).some((one) => one.name === "job"));
        assert.equal((await resources.resources.getById(found.id, "2023-05-01")).properties.osType, "Linux");
    },

    // ---- refusals ----
    async "what is not there is told"() {
        await refused(404, "ResourceNotFound", () => groups.get(rg, "nothing"));
        await refused(404, "ResourceNotFound", () => groups.beginStartAndWait(rg, "nothing"));
        await refused(404, "ResourceNotFound", () => groups.stop(rg, "nothing"));
        await refused(404, "ContainerNotFound", () => log("web", "nobody"));
        await refused(404, "ResourceGroupNotFound", () => resources.resourceGroups.get("nowhere"));
        await refused(404, "SubscriptionNotFound", () => subscriptions.subscriptions.get("99999999-0000-0000-0000-000000000000"));
        await groups.beginDeleteAndWait(rg, "nothing");
    },
    async "what cannot change is named"() {
        const error = await refused(400, "InvalidContainerGroupUpdate",
            () => groups.beginCreateOrUpdateAndWait(rg, "web", { ...full(), restartPolicy: "Never" }));
        assert.match(error.message, /Always.*Never/s);
    },
    async "a stopped group is not restarted"() {
        await groups.stop(rg, "talk");
        await refused(409, "ContainerGroupStopped", () => groups.beginRestartAndWait(rg, "talk"));
    },
    async "exec and attach tell where to connect and the password"() {
        const exec = await containers.containers.executeCommand(rg, "web", "web",
            {command: "/bin/sh", terminalSize: {rows: 24, cols: 80}});
        assert.match(exec.webSocketUri, /^wss:.*\/execstream\/sessionId\/[0-9a-f-]{36}\?api-version=1.0&rows=24&cols=80$/);
        assert.ok(exec.password.endsWith("[[EOM]]"));
        const attach = await containers.containers.attach(rg, "web", "web");
        assert.ok(attach.webSocketUri.includes("/logstream/sessionId/") && attach.password);
    },
};
for (const one of JSON.parse(readFileSync(env("REFUSALS"), "utf8"))) {
    if (one.notBy.includes("javascript")) continue; // the client itself does not send it
    tests[`${one.sentence} is refused with ${one.code}`] = () => refused(one.status, one.code,
        () => groups.beginCreateOrUpdateAndWait(one.resourceGroup, one.name, fromWire(one.document)));
}

// ---- the end ----
tests["a group is deleted"] = async () => {
    await timed(groups.beginDeleteAndWait(rg, "job"));
    await refused(404, "ResourceNotFound", () => groups.get(rg, "job"));
};
tests["a resource group goes with all its groups"] = async () => {
    await timed(resources.resourceGroups.beginDeleteAndWait(rg));
    assert(!(await resources.resourceGroups.checkExistence(rg)).body);
    assert(!(await all(groups.list())).some((one) => one.id.includes(`/resourceGroups/${rg}/`)));
};

let count = 0, failed = 0;
for (const [sentence, test] of Object.entries(tests)) {
    const begun = Date.now();
    count += 1;
    try {
        await test();
        console.log(`ok ${count} - ${sentence} (${((Date.now() - begun) / 1000).toFixed(1)} s)`);
    } catch (fault) {
        failed += 1;
        console.log(`not ok ${count} - ${sentence}`);
        for (const line of `${fault.stack ?? fault}`.split("\n").slice(0, 8)) console.log(`#   ${line}`);
    }
}
console.log(`1..${count}`);
process.exitCode = failed ? 1 : 0;
