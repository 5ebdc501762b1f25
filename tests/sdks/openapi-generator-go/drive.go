// Creates a profile, waits for it, reads it and deletes it, through the generated client.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"

	fleet "fargate-fleet.dev/clients/go"
)

const (
	account = "111111111111"
	region  = "eu-central-1"
	cluster = "prod-1"
)

func main() {
	ctx := context.WithValue(context.Background(), fleet.ContextAccessToken, os.Getenv("DEMO_TOKEN"))
	configuration := fleet.NewConfiguration()
	configuration.Servers = fleet.ServerConfigurations{{URL: os.Getenv("DEMO_URL")}}
	client := fleet.NewAPIClient(configuration)

	me, _, err := client.AccessAPI.GetWhoami(ctx).Execute()
	must(err)
	check(me.Role == "admin", me)
	profile(ctx, client, os.Getenv("SDK_PROFILE"))
	webhook(ctx, client)
}

func profile(ctx context.Context, client *fleet.APIClient, name string) {
	labels := map[string]string{"made-by": "sdk"}
	selector := fleet.SelectorInput{Namespace: name, Labels: labels}
	body := fleet.ProfileInput{Name: &name, Selectors: []fleet.SelectorInput{selector}}
	profiles := client.FargateProfilesAPI
	made, _, err := profiles.CreateFargateProfile(ctx, account, region, cluster).
		ProfileInput(body).
		IdempotencyKey("create-" + name).
		Execute()
	must(err)
	made = ended(ctx, client, made)
	check(made.Profile.GetStatus() == "ACTIVE", made)

	read := profiles.GetFargateProfile(ctx, account, region, cluster, name)
	found, _, err := read.Execute()
	must(err)
	check(reflect.DeepEqual(found.Selectors[0].GetLabels(), labels), found)
	listed, _, err := profiles.ListFargateProfiles(ctx, account, region, cluster).Execute()
	must(err)
	check(names(listed)[name], listed)

	gone, _, err := profiles.DeleteFargateProfile(ctx, account, region, cluster, name).Execute()
	must(err)
	ended(ctx, client, gone)
	_, _, err = read.Execute()
	isMissing(err)
}

func ended(ctx context.Context, client *fleet.APIClient, job *fleet.Job) *fleet.Job {
	for job.FinishedAt == nil {
		later, _, err := client.JobsAPI.GetJob(ctx, job.Id).WaitSeconds(30).Execute()
		must(err)
		job = later
	}
	check(job.State == "succeeded", job)
	return job
}

func names(list *fleet.FargateProfileList) map[string]bool {
	names := map[string]bool{}
	for _, item := range list.Items {
		names[item.Name] = true
	}
	return names
}

func webhook(ctx context.Context, client *fleet.APIClient) {
	url := os.Getenv("DEMO_URL") + "/receiver"
	body := fleet.NewWebhookInput([]string{"job.succeeded"}, url)
	body.SetEnabled(false)
	made, _, err := client.WebhooksAPI.CreateWebhook(ctx).WebhookInput(*body).Execute()
	must(err)
	read := client.WebhooksAPI.GetWebhook(ctx, made.Id)
	found, _, err := read.Execute()
	must(err)
	check(found.Url == url, found)
	_, err = client.WebhooksAPI.DeleteWebhook(ctx, made.Id).Execute()
	must(err)
	_, _, err = read.Execute()
	isMissing(err)
}

func isMissing(err error) {
	var answer *fleet.GenericOpenAPIError
	check(errors.As(err, &answer), err)
	problem, typed := answer.Model().(fleet.Problem)
	check(typed && problem.Status == 404 && problem.Code == "not_found", string(answer.Body()))
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func check(holds bool, seen any) {
	if !holds {
		panic(fmt.Sprintf("%+v", seen))
	}
}
