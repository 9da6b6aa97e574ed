/** Commands about the machine that models are computed on; each is loaded when it is used. */
import { Argument, type Command } from "@commander-js/extra-typings";
import { nativePackages } from "../../device/tfjs/native-package.ts";
import { asJson } from "../options/shared-options.ts";

const boundPackage = new Argument("[package]", "which, where both are installed").choices(nativePackages);

export function declareTensorflow(program: Command): void {
  const tensorflow = program.command("tensorflow").description("what computes in @tensorflow/tfjs-node and -gpu");
  tensorflow
    .command("link")
    .description("build the installed package on the TensorFlow of a Python")
    .addArgument(boundPackage)
    .option("--python <path>", "the Python that has it", "python3")
    .action(async (name, { python }) => {
      const { linkTensorflowCommand } = await import("../commands/tensorflow.ts");
      await linkTensorflowCommand(name, python);
    });
  tensorflow
    .command("unlink")
    .description("give the package back what it had")
    .addArgument(boundPackage)
    .action(async (name) => {
      const { unlinkTensorflowCommand } = await import("../commands/tensorflow.ts");
      await unlinkTensorflowCommand(name);
    });
}

export function declareDoctor(program: Command): void {
  program
    .command("doctor")
    .description("say what this machine can do, and how fast")
    .argument("[folder]", "of a model, whose disk is measured", ".")
    .option(...asJson)
    .action(async (folder, options) => {
      const { doctorCommand } = await import("../commands/doctor.ts");
      await doctorCommand(folder, options);
    });
}
