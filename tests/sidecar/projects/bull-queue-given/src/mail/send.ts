export async function send(job: { data: { to: string } }) {
  console.log(job.data.to);
}
