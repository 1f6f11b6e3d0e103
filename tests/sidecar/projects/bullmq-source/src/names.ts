export const names = { mail: "mail-queue" };
