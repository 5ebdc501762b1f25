// Creates a profile, waits for it, reads it and deletes it, through the generated client.

import dev.fargatefleet.client.ApiClient;
import dev.fargatefleet.client.ApiException;
import dev.fargatefleet.client.api.AccessApi;
import dev.fargatefleet.client.api.FargateProfilesApi;
import dev.fargatefleet.client.api.JobsApi;
import dev.fargatefleet.client.api.WebhooksApi;
import dev.fargatefleet.client.model.Job;
import dev.fargatefleet.client.model.Problem;
import dev.fargatefleet.client.model.ProfileInput;
import dev.fargatefleet.client.model.SelectorInput;
import dev.fargatefleet.client.model.Whoami;
import dev.fargatefleet.client.model.Webhook;
import dev.fargatefleet.client.model.WebhookInput;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;

final class Drive {
  private static final String ACCOUNT = "111111111111";
  private static final String REGION = "eu-central-1";
  private static final String CLUSTER = "prod-1";

  private final ApiClient client = new ApiClient();
  private final String url = System.getenv("DEMO_URL");

  private Drive() {
    String bearer = "Bearer " + System.getenv("DEMO_TOKEN");
    client.updateBaseUri(url);
    client.setRequestInterceptor(request -> request.header("Authorization", bearer));
  }

  public static void main(String[] args) throws Exception {
    Drive drive = new Drive();
    Whoami me = new AccessApi(drive.client).getWhoami(null, null);
    check(me.getRole().equals("admin"), me);
    drive.profile(System.getenv("SDK_PROFILE"));
    drive.webhook();
  }

  private void profile(String name) throws Exception {
    FargateProfilesApi profiles = new FargateProfilesApi(client);
    Map<String, String> labels = Map.of("made-by", "sdk");
    SelectorInput selector = new SelectorInput().namespace(name).labels(labels);
    ProfileInput body = new ProfileInput().name(name).selectors(List.of(selector));
    Job made =
        profiles.createFargateProfile(
            ACCOUNT, REGION, CLUSTER, body, null, null, null, null, null, null, "create-" + name,
            null);
    made = ended(made);
    check(made.getProfile().getStatus().equals("ACTIVE"), made);

    var found = read(profiles, name);
    check(found.getSelectors().get(0).getLabels().equals(labels), found);
    var listed =
        profiles.listFargateProfiles(ACCOUNT, REGION, CLUSTER, null, null, null, null, null);
    check(listed.getItems().stream().anyMatch(item -> item.getName().equals(name)), listed);

    ended(
        profiles.deleteFargateProfile(
            ACCOUNT, REGION, CLUSTER, name, null, null, null, null, null, null, null, null, null));
    isMissing(() -> read(profiles, name));
  }

  private static dev.fargatefleet.client.model.FargateProfile read(
      FargateProfilesApi profiles, String name) throws ApiException {
    return profiles.getFargateProfile(
        ACCOUNT, REGION, CLUSTER, name, null, null, null, null, null);
  }

  private Job ended(Job job) throws ApiException {
    JobsApi jobs = new JobsApi(client);
    while (job.getFinishedAt() == null) {
      job = jobs.getJob(job.getId(), 30, null, null, null, null);
    }
    check(job.getState().equals("succeeded"), job);
    return job;
  }

  private void webhook() throws Exception {
    WebhooksApi webhooks = new WebhooksApi(client);
    WebhookInput input =
        new WebhookInput()
            .url(url + "/receiver")
            .eventTypes(List.of("job.succeeded"))
            .enabled(false);
    Webhook made = webhooks.createWebhook(input, null, null, null, null);
    Webhook found = webhooks.getWebhook(made.getId(), null, null, null);
    check(found.getUrl().equals(made.getUrl()), found);
    webhooks.deleteWebhook(made.getId(), null, null, null, null, null);
    isMissing(() -> webhooks.getWebhook(made.getId(), null, null, null));
  }

  // The exception holds the problem as text.
  private void isMissing(Callable<?> call) throws Exception {
    try {
      throw new AssertionError("still there: " + call.call());
    } catch (ApiException error) {
      check(error.getCode() == 404, error);
      Problem problem =
          client.getObjectMapper().readValue(error.getResponseBody(), Problem.class);
      check(problem.getCode().equals("not_found"), problem);
    }
  }

  private static void check(boolean holds, Object seen) {
    if (!holds) {
      throw new AssertionError(seen);
    }
  }
}
