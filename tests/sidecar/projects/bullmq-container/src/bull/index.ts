export * from "./BullQueue";
export * from "./workers";
