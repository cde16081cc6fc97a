using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Holdfast.Cli.Output;
using Holdfast.Cli.Terminals;
using Microsoft.Win32.SafeHandles;

namespace Holdfast.Cli.Secrets;

/// <summary>Asks a person for a password.</summary>
internal interface IPasswordPrompt
{
    /// <summary>One line without its end; null when there is nobody to ask. The caller wipes it.</summary>
    Task<byte[]?> AskAsync(string question, CancellationToken cancellationToken);
}

/// <summary>Asks at the controlling terminal, without showing what is typed.</summary>
/// <remarks>The terminal, not standard input: that may be the data of <c>backup --stdin</c>.</remarks>
internal sealed class TerminalPrompt : IPasswordPrompt
{
    // How long a signal may go unnoticed while nobody types.
    private const int PollMilliseconds = 100;

    /// <inheritdoc/>
    public Task<byte[]?> AskAsync(string question, CancellationToken cancellationToken) =>
        Task.Run(() => Ask(question, cancellationToken), CancellationToken.None);

    private static byte[]? Ask(string question, CancellationToken cancellationToken)
    {
        using SafeFileHandle? terminal = TryOpen();
        if (terminal is null) return null;

        // The handle outlives the stream, which only writes to its descriptor.
        using var screen = new DescriptorStream((int)terminal.DangerousGetHandle(), "/dev/tty");
        using var hidden = new HiddenEcho(terminal);
        screen.Write(Encoding.UTF8.GetBytes(TerminalText.Escape(question) + ": "));
        try
        {
            return ReadLine(terminal, cancellationToken);
        }
        finally
        {
            // The Enter that ended the line was not shown.
            screen.Write("\n"u8);
        }
    }

    private static SafeFileHandle? TryOpen()
    {
        try
        {
            return File.OpenHandle("/dev/tty", FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static unsafe byte[] ReadLine(SafeFileHandle terminal, CancellationToken cancellationToken)
    {
        // The kernel hands out whole lines of at most 4,096 bytes.
        Span<byte> line = stackalloc byte[4096];
        int length = 0;
        try
        {
            while (true)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var entry = new LibC.PollEntry { Descriptor = (int)terminal.DangerousGetHandle(), Wanted = LibC.PollIn };
                if (LibC.Poll(&entry, 1, PollMilliseconds) <= 0) continue;
                nint count;
                fixed (byte* target = line[length..]) count = LibC.Read(terminal, target, line.Length - length);
                if (count < 0 && Marshal.GetLastPInvokeError() is LibC.Interrupted or LibC.TryAgain) continue;
                if (count <= 0) return line[..length].ToArray();
                length += (int)count;
                if (line[length - 1] == (byte)'\n') return line[..(length - 1)].ToArray();
                if (length == line.Length) return line.ToArray();
            }
        }
        finally
        {
            CryptographicOperations.ZeroMemory(line);
        }
    }

    /// <summary>Switches a terminal's echo off, and back to what it was.</summary>
    private sealed unsafe class HiddenEcho : IDisposable
    {
        private readonly SafeFileHandle terminal;
        private readonly byte[] before = new byte[LibC.TermiosBytes];

        public HiddenEcho(SafeFileHandle terminal)
        {
            this.terminal = terminal;
            byte[] silent = new byte[LibC.TermiosBytes];
            fixed (byte* settings = before)
            {
                if (LibC.GetTerminal(terminal, settings) != 0) throw Failure("tcgetattr");
            }

            before.CopyTo(silent, 0);
            Span<uint> flags = MemoryMarshal.Cast<byte, uint>(silent.AsSpan(LibC.TermiosLocalFlags, sizeof(uint)));
            flags[0] &= ~LibC.EchoFlag;
            fixed (byte* settings = silent)
            {
                if (LibC.SetTerminal(terminal, LibC.SetAfterDraining, settings) != 0) throw Failure("tcsetattr");
            }
        }

        public void Dispose()
        {
            fixed (byte* settings = before) _ = LibC.SetTerminal(terminal, LibC.SetAfterDraining, settings);
        }

        private static IOException Failure(string call) =>
            new($"/dev/tty: {call}: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");
    }
}
