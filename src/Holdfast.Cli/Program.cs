using Holdfast.Cli.Secrets;
using Holdfast.Cli.Terminals;
using Holdfast.Files;
using Holdfast.Log;

namespace Holdfast.Cli;

internal static class Program
{
    private static int Main(string[] args) => args is [CommandTree.VersionFlag] ? SayVersion() : Run(args);

    // Scripts ask for the version often: nothing is loaded for it but this.
    private static int SayVersion()
    {
        using var output = DescriptorStream.Output();
        try
        {
            output.Write("holdfast "u8);
            output.Write(System.Text.Encoding.ASCII.GetBytes(HoldfastVersion.Text + "\n"));
            return ExitCodes.Done;
        }
        catch (OutputClosedException)
        {
            return ExitCodes.OutputClosed;
        }
    }

    private static int Run(string[] args)
    {
        Terminal terminal = Terminal.OfProcess();
        using var outputStream = DescriptorStream.Output();
        using var errorStream = DescriptorStream.Error();
        using var output = new SurrogateEscapeWriter(outputStream, flushLines: terminal.OutputIsTerminal);
        using var error = new SurrogateEscapeWriter(errorStream, flushLines: false);
        using Signals signals = Signals.Listen();
        var app = new App(new World
        {
            Host = Host.CreateReal(),
            Output = output,
            Error = error,
            Terminal = terminal,
            Environment = ReadEnvironment,
            Prompt = new TerminalPrompt(),
        });
#pragma warning disable VSTHRD002 // The one blocking wait: Main has nothing else to do, and there is no context to lock up.
        return app.RunAsync(CommandLineBytes.Read(args), signals).GetAwaiter().GetResult();
#pragma warning restore VSTHRD002
    }

    // Through the C library: what .NET decoded has lost the bytes that are not UTF-8.
    private static unsafe string? ReadEnvironment(string name)
    {
        byte* value = LibC.GetEnvironment(name);
        return value is null
            ? null
            : SurrogateEscape.Decode(System.Runtime.InteropServices.MemoryMarshal.CreateReadOnlySpanFromNullTerminated(value));
    }
}
