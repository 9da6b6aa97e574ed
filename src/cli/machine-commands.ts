/** Commands about the machine that models are computed on; each is loaded when it is used. */
import { Argument, type Command } from "@commander-js/extra-typings";
import { nativePackages } from "../device/tfjs/native-package.ts";

const boundPackage = new Argument("[package]", "which, where both are installed").choices(nativePackages);

/** Declares what brings engines, and tells what there is. */
export function addMachineCommands(program: Command): void {
  const tensorflow = program.command("tensorflow").description("what computes in @tensorflow/tfjs-node and -gpu");
  tensorflow
    .command("link")
    .description("build the installed package on the TensorFlow of a Python")
    .addArgument(boundPackage)
    .option("--python <path>", "the Python that has it", "python3")
    .action(async (name, { python }) => {
      const { linkTensorflowCommand } = await import("./commands/tensorflow.ts");
      await linkTensorflowCommand(name, python);
    });
  tensorflow
    .command("unlink")
    .description("give the package back what it had")
    .addArgument(boundPackage)
    .action(async (name) => {
      const { unlinkTensorflowCommand } = await import("./commands/tensorflow.ts");
      await unlinkTensorflowCommand(name);
    });

  program
    .command("doctor")
    .description("say what this machine can do, and how fast")
    .argument("[folder]", "of a model, whose disk is measured", ".")
    .option("--json", "print the result as JSON")
    .action(async (folder, options) => {
      const { doctorCommand } = await import("./commands/doctor.ts");
      await doctorCommand(folder, options);
    });
}
