import Bull from "bull";

export const named = (name: string) => new Bull(name, process.env.REDIS_URL!);
