module drive

go 1.23

require fargate-fleet.dev/clients/go v0.0.0

replace fargate-fleet.dev/clients/go => ./client
