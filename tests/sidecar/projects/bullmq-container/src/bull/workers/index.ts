import { container } from "tsyringe";
import { BullQueue } from "../BullQueue";

console.info(container.resolve(BullQueue).worker.name);
