namespace Holdfast.Cli.Tests;

public class CommandLineBytesTests
{
    [Fact]
    public void TheLastArgumentsAreTakenWithTheirBytes()
    {
        byte[] commandLine = [.. "dotnet\0holdfast.dll\0backup\0/home/caf"u8, 0xe9, 0, .. "\0"u8];
        string[] arguments = CommandLineBytes.LastOf(commandLine, ["backup", "/home/caf\uFFFD", ""]);
        Assert.Equal(["backup", "/home/caf\uDCE9", ""], arguments);
    }

    [Fact]
    public void ACommandLineThatIsTooShortIsNotTrusted()
    {
        string[] decoded = ["backup", "\uFFFD"];
        Assert.Same(decoded, CommandLineBytes.LastOf("x\0"u8, decoded));
    }

    [Fact]
    public void WhatDotNetReadWholeIsUsedAsItIs()
    {
        string[] decoded = ["backup", "/home"];
        Assert.Same(decoded, CommandLineBytes.Read(decoded));
    }
}
