mount GoodJob::Engine, at: "admin/good_job"
