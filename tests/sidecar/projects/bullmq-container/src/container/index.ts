import { container } from "tsyringe";
import { BullQueue } from "../bull/BullQueue";

container.registerSingleton("Queue", BullQueue);
